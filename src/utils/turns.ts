/** Lets the event loop go round `count` times: what has waited meanwhile gets its turn. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
