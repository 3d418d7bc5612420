/** The part of process.stdout that is used. */
export interface LogStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

export interface LogWriter {
  /** Hands a line to the stream, or drops it while too much waits there. Never waits. */
  write(line: string): void;
  /** Waits until nothing waits, or for so long. */
  flush(timeoutMs: number): Promise<void>;
}

export interface LogWriterOptions {
  stream: LogStream;
  /** Called with the number of lines that were lost, once lines are taken again. */
  onLost(lines: number): void;
}

/** Characters that may wait for a reader, about as many lines as a busy second has. */
const MAX_WAITING = 1_048_576;
const POLL_MS = 10;

/**
 * Writes lines to a stream that may have no reader, as a pipe to a log collector that hangs: what
 * waits is bounded, and lines beyond that or that cannot be written are counted.
 */
export function createLogWriter({ stream, onLost }: LogWriterOptions): LogWriter {
  let waiting = 0;
  let lost = 0;
  // A reader that goes away, or a full disk, is no reason to end.
  stream.on('error', () => {});
  const tellLost = () => {
    const lines = lost;
    lost = 0;
    onLost(lines);
  };
  const written = (length: number, error?: Error | null) => {
    waiting -= length;
    if (error) lost += 1;
    else if (lost > 0 && waiting <= MAX_WAITING / 2) tellLost();
  };
  return {
    write: (line) => {
      if (waiting + line.length > MAX_WAITING) {
        lost += 1;
        return;
      }
      waiting += line.length;
      stream.write(line, (error) => written(line.length, error));
    },
    flush: async (timeoutMs) => {
      const untilMs = performance.now() + timeoutMs;
      while (waiting > 0 && performance.now() < untilMs) await Bun.sleep(POLL_MS);
    },
  };
}
