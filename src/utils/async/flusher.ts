/** Stores data that is pending in memory. */
export interface Flusher {
  /** Stores everything that was pending before the call. Rejects if that fails. */
  flush(): Promise<void>;
  /** Flushes after `maxDelayMs` at most. */
  flushLater(): void;
}

export interface FlusherOptions {
  /** Stores everything that is pending. Data that it cannot store must stay pending. */
  write(): Promise<void>;
  maxDelayMs: number;
  /** Receives the failure of a delayed flush, which is then retried. */
  onError(error: unknown): void;
}

/** Creates a flusher that runs one write at a time. Its timer does not prevent the process from ending. */
export function createFlusher({ write, maxDelayMs, onError }: FlusherOptions): Flusher {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;
  /** Starts when `writing` ends, and so stores everything that is pending by then. */
  let next: Promise<void> | undefined;

  const flush = () => {
    next ??= start();
    return next;
  };
  const start = async () => {
    await writing;
    next = undefined;
    clearTimeout(timer);
    timer = undefined;
    const current = write();
    // A failed flush rejects for its own callers only.
    writing = current.catch(flushLater);
    await current;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => void flush().catch(onError), maxDelayMs);
    timer.unref();
  };
  return { flush, flushLater };
}
