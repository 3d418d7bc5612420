import { type Config, loadConfig } from '../core/config/config.ts';
import { createDeps, type Deps } from '../core/deps.ts';
import { createLog, createLogWriter, type Log, type LogWriter } from '../core/log.ts';
import type { Invocation } from './command.ts';

/** Loads the settings from the options and the environment. */
export function configOf({ flags }: Invocation): Config {
  return loadConfig(flags);
}

/** Opens the application for a command, which may run next to a server and logs only errors. */
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
