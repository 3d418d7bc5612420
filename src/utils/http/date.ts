const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = MONTHS.join('|');
const DAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const TIME = '(?<time>\\d{2}:\\d{2}:\\d{2})';

/** The three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850 and asctime. */
const FORMS = [
  `(?:${DAY}), (?<day>\\d{2}) (?<month>${MONTH}) (?<year>\\d{4}) ${TIME} GMT`,
  `${LONG_DAY}, (?<day>\\d{2})-(?<month>${MONTH})-(?<year>\\d{2}) ${TIME} GMT`,
  `(?:${DAY}) (?<month>${MONTH}) (?<day>\\d{2}| \\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/**
 * Parses an HTTP date, in any of the three forms that recipients must accept, into milliseconds since
 * the epoch. Returns undefined for anything else and for a date that does not exist.
 */
export function parseHttpDateMs(text: string, nowMs: number): number | undefined {
  const fields = FORMS.map((form) => form.exec(text)?.groups).find((it) => it !== undefined);
  if (!fields) return undefined;
  const { day = '', month = '', year = '', time = '' } = fields;
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  const fullYear = year.length === 2 ? nearYear(Number(year), nowMs) : Number(year);
  const date = new Date(0);
  date.setUTCFullYear(fullYear, MONTHS.indexOf(month), Number(day));
  const isReal = date.getUTCDate() === Number(day) && hour < 24 && minute < 60 && second <= 60;
  return isReal ? date.setUTCHours(hour, minute, second) : undefined;
}

/** Returns the latest year with these last two digits that is at most 50 years ahead. */
function nearYear(digits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + 100 + digits;
  return year > thisYear + 50 ? (year - 100 > thisYear + 50 ? year - 200 : year - 100) : year;
}
