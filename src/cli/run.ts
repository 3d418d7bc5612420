import { CommanderError } from 'commander';
import { adminCreate } from './admin-create.ts';
import type { Command } from './command.ts';
import { endOnBrokenPipe, reportFailure } from './failure.ts';
import { healthcheck } from './healthcheck.ts';
import { itemsExport } from './items/export.ts';
import { itemsImport } from './items/import.ts';
import { migrate } from './migrate.ts';
import { openapi } from './openapi.ts';
import { createProgram, showHelp } from './program.ts';
import { serve } from './serve.ts';
import { settings } from './settings.ts';
import { endOnSignal } from './signals.ts';
import { sourcesRekey } from './sources-rekey.ts';
import { usageVerify } from './usage-verify.ts';
import { usersImport } from './users/import.ts';
import { usersList } from './users/list.ts';
import { usersResetPassword } from './users/reset-password.ts';
import { usersShow } from './users/show.ts';
import { usersDisable, usersEnable } from './users/state.ts';
import { version } from './version.ts';

const COMMANDS: readonly Command[] = [
  serve,
  migrate,
  adminCreate,
  usersList,
  usersShow,
  usersDisable,
  usersEnable,
  usersResetPassword,
  usersImport,
  itemsImport,
  itemsExport,
  sourcesRekey,
  usageVerify,
  openapi,
  healthcheck,
  settings,
  version,
];

/** Runs the command named by `args` and returns the exit status: 2 for wrong use or settings. */
export async function run(args: string[], abort: (status: number) => void): Promise<number> {
  let status = 0;
  const program = createProgram(COMMANDS, async (command, input) => {
    // The server handles signals itself and shuts down gracefully.
    if (command !== serve) endOnSignal(command.name, abort);
    status = await command
      .run({ ...input, abort })
      .catch((error) => reportFailure(command.name, input, error));
  });
  const helpWords = helpWordsOf(args);
  // The server continues if its log is not read.
  if (helpWords || args[0] !== serve.name) endOnBrokenPipe(abort);
  try {
    if (helpWords) await showHelp(program, helpWords);
    else await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

/** Returns the words of the command whose help is requested; undefined if no help is requested. */
function helpWordsOf(args: readonly string[]): string[] | undefined {
  const isRequested = args.includes('--help') || args.includes('-h');
  if (args.length > 0 && args[0] !== 'help' && !isRequested) return undefined;
  const words = args[0] === 'help' ? args.slice(1) : args;
  const end = words.findIndex((word) => word.startsWith('-'));
  return words.slice(0, end < 0 ? undefined : end);
}
