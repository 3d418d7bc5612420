import { oneLine } from '../utils/text.ts';

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
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Values of type Error are written as their stack. */
export function createLog({ level, format, write, now }: LogOptions): Log {
  const floor = LOG_LEVELS.indexOf(level);
  const line = format === 'json' ? jsonLine : textLine;
  const at = (own: LogLevel) =>
    LOG_LEVELS.indexOf(own) < floor
      ? () => {}
      : (message: string, fields: LogFields = {}) =>
          write(`${oneLine(line(now().toISOString(), own, message, fields))}\n`);
  return { level, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
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
