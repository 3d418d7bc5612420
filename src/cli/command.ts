import { type Config, loadConfig } from '../core/config/config.ts';
import type { Parsed } from '../core/config/setting.ts';
import type { SETTINGS } from '../core/config/settings.ts';
import { createDeps, type Deps } from '../core/deps.ts';
import { createLog, createLogWriter, type Log, type LogWriter } from '../core/log.ts';

/** The parsed arguments of a command. */
export interface Invocation {
  /** The options with a value, of the command and of its settings. */
  flags: Record<string, string>;
  /** The given options without a value. */
  switches: ReadonlySet<string>;
  /** The argument, if the command takes one. */
  operand: string | undefined;
  /** Exits the process immediately. */
  abort(status: number): void;
}

/** An option of a command. */
export interface Flag {
  help: string;
  /** Name of the value in the help; without it the option is a switch. */
  value?: string;
  isRequired?: boolean;
  /** The allowed values; any if omitted. */
  choices?: readonly string[];
  /** Checks a value. The problem starts with a verb, such as `must be a number`. */
  parse?(text: string): Parsed<unknown>;
}

/** A command of the binary. */
export interface Command {
  /** The words of the command, such as `admin create`. */
  name: string;
  /** Name of the argument in the help, if the command takes one. */
  operand?: string;
  summary: string;
  /** Shown by --help below the summary. */
  help: string;
  /** Options of the command, in addition to those of its settings. */
  flags: Record<string, Flag>;
  /** The settings that are also options of the command. */
  settings: (keyof typeof SETTINGS)[];
  /** Resolves to the exit status. */
  run(invocation: Invocation): Promise<number>;
}

/** Name of an argument that is an account's id, email or username. */
export const ACCOUNT = 'ACCOUNT';

/** Returns the argument of a command that takes one. */
export function operandOf({ operand = '' }: Invocation): string {
  return operand;
}

/** Wrong use of a command, one problem per line. The exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Loads the settings from the options and the environment. */
export function configOf({ flags }: Invocation): Config {
  return loadConfig(flags);
}

/** Opens the application for a command, which may run beside a server and logs only errors. */
export function openDeps(config: Config): Deps {
  return createDeps(config, { log: logOf({ ...config, logLevel: 'error' }), isCommand: true });
}

/** Opens the application for a command and closes it after `work`. */
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

/** Opens the configured log. `flush` waits until its lines are written. */
export function openLog(config: Config): { log: Log; flush: LogWriter['flush'] } {
  const isTerminal = process.stdout.isTTY;
  const format = config.logFormat === 'auto' ? (isTerminal ? 'text' : 'json') : config.logFormat;
  const { write, flush } = createLogWriter({
    stream: process.stdout,
    onLost: (lines) =>
      log.warn('Log lines were dropped because standard output was not read.', { lines }),
  });
  const log = createLog({
    level: config.logLevel,
    format: format as 'json' | 'text',
    write,
    now: () => new Date(),
  });
  return { log, flush };
}
