/**
 * Lets the event loop turn `count` times, or until `maxMs` have passed: what has waited meanwhile
 * gets its turn. In a busy process one turn takes long.
 */
export async function turns(count: number, maxMs = Number.POSITIVE_INFINITY): Promise<void> {
  const until = performance.now() + maxMs;
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (performance.now() >= until) return;
  }
}
