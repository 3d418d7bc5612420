import { oneLine } from '../utils/text/text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

/** Writes one line an event; a level below the chosen one costs a comparison. */
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
  /** In this time an error is written ten times at most, then counted. Default 10,000. */
  floodMs?: number;
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const MAX_REPEATS = 10;
/** Different errors that are counted apart; more share one count. */
const MAX_KINDS = 100;

/**
 * A log. Values of type Error are written as their stack. An error that comes again and again, as
 * every write does on a full disk, is written ten times and then counted for a while.
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
    if (lines > 0) write('An error came again and again; lines were left out.', { of, lines });
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

/** As it is where it is one plain word, else as JSON: one event stays one line. */
function quoted(value: unknown): string {
  return /^[\w./:@+-]+$/.test(String(value)) ? String(value) : JSON.stringify(value);
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause === undefined ? '' : `\ncaused by ${String(plain(value.cause))}`;
  return `${value.stack ?? value.message}${cause}`;
}
