import type { Timings } from './calls.ts';
import { count, rate } from './progress.ts';

/** One line of what was done, how fast, and how long single requests took. */
export function summary(what: string, { latenciesMs, retries }: Timings, seconds: number): string {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share).toFixed(1));
  const done = `${count(sorted.length)} in ${seconds.toFixed(1)} s`;
  const rates = `${rate(sorted.length, seconds)}, p50 ${p50} ms, p99 ${p99} ms`;
  return `${what}: ${done}, ${rates}, retries ${count(retries)}.`;
}

/** The least value that `share` of the values do not exceed; 0 of none. */
function percentile(sorted: number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
