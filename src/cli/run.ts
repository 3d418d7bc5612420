import { ConfigError } from '../core/config.ts';
import { StartupError } from '../core/exceptions.ts';
import { adminCreate } from './admin-create.ts';
import { type Command, UsageError } from './command.ts';
import { healthcheck } from './healthcheck.ts';
import { commandHelp, overview } from './help.ts';
import { itemsExport } from './items-export.ts';
import { itemsImport } from './items-import.ts';
import { migrate } from './migrate.ts';
import { openapi } from './openapi.ts';
import { parseArgs } from './parse.ts';
import { serve } from './serve.ts';
import { settings } from './settings.ts';
import { sourcesRekey } from './sources-rekey.ts';
import { usageVerify } from './usage-verify.ts';
import { usersImport } from './users-import.ts';
import { version } from './version.ts';

const COMMANDS: readonly Command[] = [
  serve,
  migrate,
  adminCreate,
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

/** Runs the command that `args` name and gives the exit status: 2 for wrong use or settings. */
export async function run(args: string[], abort: (status: number) => void): Promise<number> {
  if (args[0] === '--version') return run(['version'], abort);
  const command = COMMANDS.find(({ name }) => startsWith(args, name.split(' ')));
  if (!command) return runNone(args);
  const rest = args.slice(command.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(commandHelp(command));
    return 0;
  }
  try {
    return await command.run({ ...parseArgs(command, rest), abort });
  } catch (error) {
    return failed(command, error);
  }
}

function startsWith(args: string[], words: string[]): boolean {
  return words.every((word, index) => args[index] === word);
}

function runNone(args: string[]): number {
  const [first] = args;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    console.log(overview(COMMANDS));
    return 0;
  }
  console.error(`hutch: there is no command ${JSON.stringify(args.join(' '))}.\n`);
  console.error(overview(COMMANDS));
  return 2;
}

function failed(command: Command, error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigError) {
    console.error(`${error.message}\n\nSee hutch ${command.name} --help.`);
    return 2;
  }
  if (error instanceof StartupError) {
    console.error(`hutch ${command.name}: ${error.message}`);
    return 1;
  }
  console.error(`hutch ${command.name}:`, error);
  return 1;
}
