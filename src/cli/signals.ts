/** Resolves at the first SIGINT or SIGTERM; a second one calls `abort`. */
export function untilSignal(abort: (status: number) => void): Promise<string> {
  return new Promise((resolve) => {
    let seen = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (seen) abort(130);
        seen = true;
        resolve(signal);
      });
    }
  });
}
