import { expect, test } from 'bun:test';
import { parseHttpDateMs } from '../../src/utils/http/date.ts';

const NOW = Date.UTC(2026, 10, 26);

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
])('%s is read', (text) => {
  expect(parseHttpDateMs(text, NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
});

test.each([
  ['Friday, 01-Jan-27 00:00:00 GMT', 2027],
  ['Friday, 01-Jan-76 00:00:00 GMT', 2076],
  ['Saturday, 01-Jan-77 00:00:00 GMT', 1977],
])('of two digits, %s is in %d', (text, year) => {
  expect(new Date(parseHttpDateMs(text, NOW) ?? 0).getUTCFullYear()).toBe(year);
});

test('the asctime form is in UTC', () => {
  expect(parseHttpDateMs('Thu Nov 26 12:00:00 2026', NOW)).toBe(NOW + 43_200_000);
});

test.each([
  ...['', '7', '1994-11-06', 'Sun, 6 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 94 08:49:37 GMT'],
  ...['Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 24:00:00 GMT', 'Sun Nov 06 1994'],
  ...['Sun, 06 Nov 1994 08:49:37 +0100', 'Sunday, 06-Nov-1994 08:49:37 GMT'],
])('%j is no date', (text) => {
  expect(parseHttpDateMs(text, NOW)).toBeUndefined();
});
