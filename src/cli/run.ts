import { CommanderError } from 'commander';
import type { Command } from './command.ts';
import { endOnBrokenPipe, reportFailure } from './failure.ts';
import { createProgram, showHelp } from './program.ts';
import { endOnSignal } from './signals.ts';

/**
 * Runs the one of `commands` that `args` names and returns the exit status: 2 for wrong use or
 * settings.
 */
export async function run(
  commands: readonly Command[],
  args: string[],
  abort: (status: number) => void,
): Promise<number> {
  let status = 0;
  const program = createProgram(commands, async (command, input) => {
    if (!command.isServer) endOnSignal(command.name, abort);
    status = await command
      .run({ ...input, abort })
      .catch((error) => reportFailure(command.name, input, error));
  });
  const helpWords = helpWordsOf(args);
  // The server continues if its log is not read.
  const isServer = commands.some(({ name, isServer }) => isServer && name === args[0]);
  if (helpWords || !isServer) endOnBrokenPipe(abort);
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
