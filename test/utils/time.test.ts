import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { timeOf } from '../../src/utils/time/time.ts';

describe('a time of RFC 3339', () => {
  test.each([
    ['2026-11-22', '2026-11-22T00:00:00.000Z'],
    ['2026-11-22T16:00Z', '2026-11-22T16:00:00.000Z'],
    ['2026-11-22t16:00:00z', '2026-11-22T16:00:00.000Z'],
    ['2026-11-22T16:00:00.123456789+02:00', '2026-11-22T14:00:00.123Z'],
    ['2026-11-22T16:00:00-00:00', '2026-11-22T16:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59Z', '2000-02-29T23:59:59.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['0004-02-29', '0004-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['2016-12-31T23:59:60.5z', '2017-01-01T00:00:00.500Z'],
  ])('%s is %s', (text, stored) => {
    expect(timeOf(text)).toBe(stored);
  });

  test.each([
    '2027-02-29',
    '1900-02-29',
    '2026-02-31',
    '2026-02-31T10:00:00+02:00',
    '2026-04-31T00:00:00Z',
    '2026-02-32',
    '2026-00-10',
    '2026-13-10',
    '2026-11-00',
    '2026-11-22T24:00:00Z',
    '2026-11-22T23:60:00Z',
    '2026-11-22T23:59:61Z',
    '2026-11-22T16:00:60Z',
    '2026-11-22T23:59:60Z',
    '2016-12-31T23:59:60+02:00',
    '2026-11-22T16:00:00+24:00',
    '2026-11-22T16:00:00+02:60',
    '2026-11-22T16:00:00+0200',
    '2026-11-22T16:00:00',
    '2026-11-22 16:00:00Z',
    '2026-11-22T16:00:00.Z',
    '2026-11-22Z',
    '0000-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+02026-11-22',
    '２０２６-11-22',
    '',
  ])('%p is none', (text) => {
    expect(timeOf(text)).toBeUndefined();
  });

  test('is unchanged by a second parse', () => {
    const times = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(fc.property(times, (time) => timeOf(time.toISOString()) === time.toISOString()));
  });

  test('exists on the days of the calendar', () => {
    const two = (number: number) => `${number}`.padStart(2, '0');
    const daysOf = (year: number) =>
      Array.from({ length: 14 * 34 }, (_, index) => {
        const [month, day] = [Math.floor(index / 34), index % 34];
        return timeOf(`${year}-${two(month)}-${two(day)}`);
      }).filter((it) => it !== undefined).length;
    expect([2023, 2024, 1900, 2000].map(daysOf)).toEqual([365, 366, 365, 366]);
  });
});
