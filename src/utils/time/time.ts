/** An RFC 3339 time, or only a date. The ranges are checked below. */
const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-](\d\d):(\d\d)))?$/i;

/**
 * Parses an RFC 3339 time or date into the stored form, `2026-11-22T16:00:00.000Z`. A date means the
 * start of that day, and a leap second the following second. Returns undefined for anything else, for
 * a time that does not exist, and outside the years 0000 to 9999 in UTC.
 */
export function timeOf(text: string): string | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = ''] = match;
  const [offset = 'Z', offsetHour = '00', offsetMinute = '00'] = match.slice(8);
  const isLeap = second === '60';
  const exists =
    isDate(Number(year), Number(month), Number(day)) &&
    [hour, offsetHour].every((it) => it < '24') &&
    [minute, offsetMinute].every((it) => it < '60') &&
    (second < '60' || isLeap);
  if (!exists) return undefined;
  const clock = `${hour}:${minute}:${isLeap ? '59' : second}${fraction}`;
  const time = new Date(`${year}-${month}-${day}T${clock}${offset.toUpperCase()}`);
  if (isLeap && !isLastSecondOfMonth(time)) return undefined;
  const utc = new Date(time.getTime() + (isLeap ? 1000 : 0)).toISOString();
  // Years with more than four digits have a sign.
  return /^\d/.test(utc) ? utc : undefined;
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  // The calendar repeats every 400 years, and Date.UTC maps years below 100 to 19xx.
  return day <= new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
}

/** Leap seconds are inserted at the end of a month, in UTC. */
function isLastSecondOfMonth(time: Date): boolean {
  const next = new Date(time.getTime() + 1000);
  return next.getUTCDate() === 1 && next.toISOString().slice(11, 19) === '00:00:00';
}
