/** When to give up on a task, and what its promise then rejects with. */
export interface Limit {
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  /** Makes the rejection for running out of time. */
  readonly onTimeout: () => unknown;
  /** Signals that end the task early. */
  readonly parents?: readonly (AbortSignal | undefined)[];
  /** Turns the reason of an aborted parent into the rejection; by default it is passed on. */
  readonly onAbort?: (reason: unknown) => unknown;
}

/**
 * Runs a task that gets a signal, and settles in time even if the task ignores it. Once the
 * signal is aborted every rejection is the signal's reason, whatever the task threw. The task
 * may end itself early: `end` aborts the signal with its reason.
 */
export async function withLimit<T>(
  limit: Limit,
  task: (signal: AbortSignal, end: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const controller = new AbortController();
  const end = (reason: unknown) => {
    reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => end(limit.onTimeout()), limit.timeoutMs);
  const stopListening = linkParents(limit, end);
  try {
    if (!controller.signal.aborted) task(controller.signal, end).then(resolve, reject);
    return await promise;
  } finally {
    clearTimeout(timer);
    stopListening();
  }
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

// Listeners by hand and not AbortSignal.any: they are gone when the task is, without a GC.
function linkParents(limit: Limit, end: (reason: unknown) => void): () => void {
  const links = (limit.parents ?? [])
    .filter((parent) => parent !== undefined)
    .map((parent) => onAborted(parent, () => end(reasonOf(limit, parent))));
  return () => {
    for (const unlink of links) unlink();
  };
}

function reasonOf(limit: Limit, parent: AbortSignal): unknown {
  return limit.onAbort ? limit.onAbort(parent.reason) : parent.reason;
}

function onAborted(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
