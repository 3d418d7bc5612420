import { expect, test } from 'bun:test';
import { jitteredDelayMs, parseRetryAfterMs } from '../../src/utils/backoff.ts';

test('the bound doubles with each retry up to the longest wait', () => {
  const delays = [0, 1, 2, 9].map((retry) =>
    jitteredDelayMs({ retry, baseMs: 100, maxMs: 300, random: () => 0.5 }),
  );
  expect(delays).toEqual([50, 100, 150, 150]);
});

test('the wait may be nothing at all', () => {
  expect(jitteredDelayMs({ retry: 3, baseMs: 100, maxMs: 300, random: () => 0 })).toBe(0);
});

test('Retry-After counts in whole seconds only', () => {
  expect(parseRetryAfterMs(' 120 ')).toBe(120_000);
  for (const header of [null, '', '-1', '1.5', '1e3', 'Fri, 01 Jan 2027 00:00:00 GMT']) {
    expect(parseRetryAfterMs(header)).toBeUndefined();
  }
});
