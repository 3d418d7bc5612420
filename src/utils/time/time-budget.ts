/** Returns a check that is true while less than `ms` have passed since this call. */
export function timeBudget(ms: number): () => boolean {
  const start = performance.now();
  return () => performance.now() - start < ms;
}
