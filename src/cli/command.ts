import { type Config, loadConfig } from '../core/config/config.ts';
import type { Parsed } from '../core/config/setting.ts';
import type { SETTINGS } from '../core/config/settings.ts';
import { createDeps, type Deps } from '../core/deps.ts';
import { createLog, type Log } from '../core/log.ts';
import { createLogWriter, type LogWriter } from '../core/log-writer.ts';

/** What a command was given, parsed. */
export interface Invocation {
  /** The options that take a value, of the command and of its settings. */
  flags: Record<string, string>;
  /** The options without a value that were given. */
  switches: ReadonlySet<string>;
  /** The argument, for a command that takes one. */
  operand: string | undefined;
  /** Ends the process at once. */
  abort(status: number): void;
}

/** An option of a command. */
export interface Flag {
  help: string;
  /** Name of its value in the help; without it the option is a switch. */
  value?: string;
  isRequired?: boolean;
  /** The values that it takes; any if left out. */
  choices?: readonly string[];
  /** Checks a value; the problem begins with a verb, as `must be a number`. */
  parse?(text: string): Parsed<unknown>;
}

/** A command of the binary. It resolves with the exit status. */
export interface Command {
  /** How it is called, as `admin create`. */
  name: string;
  /** Name of its one argument in the help, if it takes one. */
  operand?: string;
  summary: string;
  /** Shown by --help below the summary. */
  help: string;
  /** Its own options beside those of the settings. */
  flags: Record<string, Flag>;
  /** The settings whose options it takes. */
  settings: (keyof typeof SETTINGS)[];
  run(invocation: Invocation): Promise<number>;
}

/** Name of an argument that is an account's id, email or username. */
export const ACCOUNT = 'ACCOUNT';

/** Returns the argument of a command that takes one. */
export function operandOf({ operand = '' }: Invocation): string {
  return operand;
}

/** Wrong use of a command, all of it: one line each. Ends with status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The settings from the flags that belong to settings, and the environment. */
export function configOf({ flags }: Invocation): Config {
  return loadConfig(flags);
}

/** The application for a command that may run beside a server, and logs errors alone. */
export function openDeps(config: Config): Deps {
  return createDeps(config, { log: logOf({ ...config, logLevel: 'error' }), isCommand: true });
}

/** Opens the application for a command, and closes it when `work` has ended. */
export async function withDeps(
  invocation: Invocation,
  work: (deps: Deps) => Promise<number>,
): Promise<number> {
  const deps = openDeps(configOf(invocation));
  try {
    return await work(deps);
  } finally {
    await deps.close();
  }
}

function logOf(config: Config): Log {
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
