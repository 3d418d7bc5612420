/** The number of measurements in each bucket; empty buckets are absent. */
export type Histogram = Record<number, number>;

/** Buckets per doubling: each bound is 19% above the previous one. */
const PER_DOUBLING = 4;

/**
 * Returns the bucket of a measurement in milliseconds. Bucket 0 holds values up to 1 ms; bucket i
 * holds values over 2^((i-1)/4) and up to 2^(i/4) ms.
 */
export function bucketOf(valueMs: number): number {
  if (!(valueMs > 1)) return 0;
  return Math.ceil(Math.log2(valueMs) * PER_DOUBLING);
}

export function addTo(histogram: Histogram, bucket: number, count: number): void {
  histogram[bucket] = (histogram[bucket] ?? 0) + count;
}

/**
 * Returns the upper bound of the bucket that holds the measurement of rank ceil(share * count): never
 * less than the true percentile and at most 19% more. Null for an empty histogram.
 */
export function percentileMs(histogram: Histogram, share: number): number | null {
  const buckets = Object.entries(histogram).map(([bucket, count]) => [Number(bucket), count]);
  const total = buckets.reduce((sum, [, count]) => sum + (count as number), 0);
  if (total === 0) return null;
  let left = Math.ceil(share * total);
  for (const [bucket, count] of buckets as [number, number][]) {
    left -= count;
    if (left <= 0) return 2 ** (bucket / PER_DOUBLING);
  }
  return null;
}
