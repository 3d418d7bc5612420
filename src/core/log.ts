import { oneLine } from '../utils/text/text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

/** Writes one line per event; a disabled level costs one comparison. */
export interface Log {
  readonly level: LogLevel;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  level: LogLevel;
  /** `json` for machines, `text` for people. */
  format: 'json' | 'text';
  write(line: string): void;
  now(): Date;
  /** The time in which an error is written at most ten times, then counted. Default 10,000. */
  floodMs?: number;
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const MAX_REPEATS = 10;
/** The number of errors that are counted separately; further ones share one count. */
const MAX_KINDS = 100;

/**
 * Creates a log. Values of type Error are written as their stack. A repeated error, such as every
 * write on a full disk, is written ten times and then counted for a while.
 */
export function createLog(options: LogOptions): Log {
  const { level, format, write, now, floodMs = 10_000 } = options;
  const floor = LOG_LEVELS.indexOf(level);
  const line = format === 'json' ? jsonLine : textLine;
  const at = (own: LogLevel) =>
    LOG_LEVELS.indexOf(own) < floor
      ? () => {}
      : (message: string, fields: LogFields = {}) =>
          write(`${oneLine(line(now().toISOString(), own, message, fields))}\n`);
  const error = withoutFloods(at('error'), floodMs);
  return { level, debug: at('debug'), info: at('info'), warn: at('warn'), error };
}

type Write = (message: string, fields?: LogFields) => void;

function withoutFloods(write: Write, floodMs: number): Write {
  const counts = new Map<string, number>();
  const end = (kind: string, of: string) => {
    const lines = (counts.get(kind) ?? 0) - MAX_REPEATS;
    counts.delete(kind);
    if (lines > 0) write('An error was repeated; further lines were left out.', { of, lines });
  };
  return (message, fields = {}) => {
    const own = `${message} ${String(fields['error'] ?? '')}`;
    const kind = counts.has(own) || counts.size < MAX_KINDS ? own : '';
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count === 1) setTimeout(() => end(kind, message), floodMs).unref();
    if (count <= MAX_REPEATS) write(message, fields);
  };
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time, level, message, ...fields }, (_, value) => plain(value));
}

function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(plain(value))}`);
  return `${time} ${level.padEnd(5)} ${message}${rest.join('')}`;
}

/** One plain word unchanged, otherwise JSON: an event is always one line. */
function quoted(value: unknown): string {
  return /^[\w./:@+-]+$/.test(String(value)) ? String(value) : JSON.stringify(value);
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause === undefined ? '' : `\ncaused by ${String(plain(value.cause))}`;
  return `${value.stack ?? value.message}${cause}`;
}

/** The part of process.stdout that a log uses. */
export interface LogStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

export interface LogWriter {
  /** Writes a line to the stream, or drops it while too much is buffered. Never blocks. */
  write(line: string): void;
  /** Waits until all lines are written, at most `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
}

export interface LogWriterOptions {
  stream: LogStream;
  /** Called with the number of lost lines once the stream accepts lines again. */
  onLost(lines: number): void;
}

/** Characters that may be buffered: about the lines of one busy second. */
const MAX_WAITING = 1_048_576;
const POLL_MS = 10;

/**
 * Writes lines to a stream that may have no reader, such as a pipe to a log collector that hangs.
 * The buffer is bounded; lines that exceed it or cannot be written are counted.
 */
export function createLogWriter({ stream, onLost }: LogWriterOptions): LogWriter {
  let waiting = 0;
  let lost = 0;
  // A vanished reader or a full disk must not end the process.
  stream.on('error', () => {});
  const reportLost = () => {
    const lines = lost;
    lost = 0;
    onLost(lines);
  };
  const written = (length: number, error?: Error | null) => {
    waiting -= length;
    if (error) lost += 1;
    else if (lost > 0 && waiting <= MAX_WAITING / 2) reportLost();
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
