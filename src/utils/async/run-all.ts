/** Runs the steps one after another. A step that fails does not stop the next ones. */
export async function runAll(
  steps: readonly (() => unknown)[],
  onError: (error: unknown) => void,
): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      onError(error);
    }
  }
}
