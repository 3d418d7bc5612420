/** Runs all steps one after another: the next one begins also when one before it fails. */
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
