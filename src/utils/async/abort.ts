/** The time limit of a task, and the rejection when it is exceeded. */
export interface Limit {
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  /** Creates the rejection for a timeout. */
  readonly onTimeout: () => unknown;
  /** Aborts the task early. */
  readonly parent?: AbortSignal | undefined;
  /** Converts the parent's abort reason into the rejection. Default: the reason itself. */
  readonly onAbort?: (reason: unknown) => unknown;
}

/**
 * Runs a task with a signal and settles in time even if the task ignores the signal. Once the signal
 * is aborted, the rejection is its reason, whatever the task throws. The task may call `end` to abort
 * the signal itself.
 */
export function withLimit<T>(
  { timeoutMs, onTimeout, parent, onAbort }: Limit,
  task: (signal: AbortSignal, end: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    const end = (reason: unknown) => {
      settle();
      reject(reason);
      controller.abort(reason);
    };
    const leave = () => end(onAbort ? onAbort(parent?.reason) : parent?.reason);
    const timer = setTimeout(() => end(onTimeout()), timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      parent?.removeEventListener('abort', leave);
    };
    if (parent?.aborted) return leave();
    // Not AbortSignal.any: this listener is removed with the task, without a GC.
    parent?.addEventListener('abort', leave);
    task(controller.signal, end).then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  try {
    await (signal ? unlessAborted(promise, signal) : promise);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a promise; rejects with the signal's reason as soon as it is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const unlink = onAborted(signal, () => aborted.reject(signal.reason));
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    unlink();
  }
}

function onAborted(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
