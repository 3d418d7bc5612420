import { type Config, loadConfig } from '../core/config.ts';
import { createDeps, type Deps } from '../core/deps.ts';
import { createLog, type Log } from '../core/log.ts';
import { createLogWriter, type LogWriter } from '../core/log-writer.ts';
import type { Setting } from '../core/setting.ts';
import { SETTINGS } from '../core/settings.ts';

/** What a command was given, parsed. */
export interface Invocation {
  flags: Record<string, string>;
  /** The word that is no flag, for a command that takes one. */
  operand?: string | undefined;
  /** Ends the process at once. */
  abort(status: number): void;
}

/** A command of the binary. It resolves with the exit status. */
export interface Command {
  /** How it is called, as `admin create`. */
  name: string;
  /** How help calls the one word beside the flags that it takes. */
  operand?: string;
  summary: string;
  /** Shown by --help below the usage line. */
  help: string;
  /** Its own flags beside those of the settings, each taking a value, with a help text. */
  flags: Record<string, string>;
  /** The flags that are true or false; without a value they are true. */
  switches?: readonly string[];
  /** The settings whose flags it takes. */
  settings: (keyof typeof SETTINGS)[];
  run(invocation: Invocation): Promise<number>;
}

/** Wrong use of a command, all of it: one line each. Ends with status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The settings from the flags that belong to settings, and the environment. */
export function configOf({ flags }: Invocation): Config {
  return loadConfig(flags);
}

/** Whether a switch is on; it is off unless given. Throws UsageError. */
export function readSwitch({ flags }: Invocation, name: string): boolean {
  const value = flags[name] ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new UsageError(`--${name} must be true or false.`);
}

/** The application for a command that may run beside a server, and logs errors alone. */
export function openDeps(config: Config): Deps {
  return createDeps(config, { log: logOf({ ...config, logLevel: 'error' }), isCommand: true });
}

export function logOf(config: Config): Log {
  return openLog(config).log;
}

/** The log of the settings, and what waits until its lines are written. */
export function openLog(config: Config): { log: Log; flush: LogWriter['flush'] } {
  const isTerminal = process.stdout.isTTY;
  const format = config.logFormat === 'auto' ? (isTerminal ? 'text' : 'json') : config.logFormat;
  const { write, flush } = createLogWriter({
    stream: process.stdout,
    onLost: (lines) => log.warn('Lines of the log were lost: nobody read them.', { lines }),
  });
  const log = createLog({
    level: config.logLevel,
    format: format as 'json' | 'text',
    write,
    now: () => new Date(),
  });
  return { log, flush };
}

/** The flags of a command with their help texts, the settings' ones first. */
export function flagsOf({ settings, flags }: Command): Record<string, string> {
  const own = settings.map((key) => {
    const { flag, help, default: value, env } = SETTINGS[key] as Setting<unknown>;
    return [flag as string, `${help} [${env}, default ${String(value)}]`];
  });
  return { ...Object.fromEntries(own), ...flags };
}
