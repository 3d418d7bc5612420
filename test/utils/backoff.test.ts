import { expect, test } from 'bun:test';
import { jitteredDelayMs, parseRetryAfterMs } from '../../src/utils/time/backoff.ts';

test('the bound doubles with each retry up to the longest delay', () => {
  const delays = [0, 1, 2, 9].map((retry) =>
    jitteredDelayMs({ retry, baseMs: 100, maxMs: 300, random: () => 0.5 }),
  );
  expect(delays).toEqual([50, 100, 150, 150]);
});

test('the delay may be zero', () => {
  expect(jitteredDelayMs({ retry: 3, baseMs: 100, maxMs: 300, random: () => 0 })).toBe(0);
});

test('Retry-After counts in whole seconds', () => {
  expect(parseRetryAfterMs(' 120 ', 0)).toBe(120_000);
});

test('Retry-After may be a date; a past date means now', () => {
  const nowMs = Date.UTC(2026, 11, 31, 23, 59, 58);
  expect(parseRetryAfterMs('Fri, 01 Jan 2027 00:00:00 GMT', nowMs)).toBe(2_000);
  expect(parseRetryAfterMs('Thu, 01 Jan 2026 00:00:00 GMT', nowMs)).toBe(0);
  expect(parseRetryAfterMs('Friday, 01-Jan-27 00:00:00 GMT', nowMs)).toBe(2_000);
  expect(parseRetryAfterMs('Fri Jan  1 00:00:00 2027', nowMs)).toBe(2_000);
});

test('any other Retry-After is ignored', () => {
  for (const header of [
    null,
    '',
    '-1',
    '1.5',
    '1e3',
    '2027-01-01',
    'Fri, 99 Jan 2027 00:00:00 GMT',
  ]) {
    expect(parseRetryAfterMs(header, 0)).toBeUndefined();
  }
});
