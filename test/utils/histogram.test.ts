import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { addTo, bucketOf, type Histogram, percentileMs } from '../../src/utils/histogram.ts';

function histogramOf(values: number[]): Histogram {
  const histogram: Histogram = {};
  for (const value of values) addTo(histogram, bucketOf(value), 1);
  return histogram;
}

describe('a percentile', () => {
  test('is never below the true value and at most 19% above it', () => {
    const values = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99), (all, share) => {
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] as number;
        const told = percentileMs(histogramOf(all), share) as number;
        expect(told).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
        expect(told).toBeLessThanOrEqual(exact * 2 ** 0.25 * (1 + 1e-9));
      }),
    );
  });

  test('of an empty histogram is null', () => {
    expect(percentileMs({}, 0.5)).toBeNull();
  });

  test('counts invalid times in the first bucket', () => {
    expect([0, -1, Number.NaN, 1].map(bucketOf)).toEqual([0, 0, 0, 0]);
  });
});
