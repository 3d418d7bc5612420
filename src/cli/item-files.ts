import type { Deps } from '../core/deps.ts';
import { StartupError } from '../core/exceptions.ts';
import { type Invocation, UsageError } from './command.ts';

/** The format of --format or, without it, of the file's name. Throws UsageError. */
export function formatOf({ flags, operand }: Invocation): 'jsonl' | 'csv' {
  const given = flags['format'] ?? (operand?.toLowerCase().endsWith('.csv') ? 'csv' : 'jsonl');
  if (given !== 'jsonl' && given !== 'csv') throw new UsageError('--format must be jsonl or csv.');
  return given;
}

/** The FILE of the command; - is standard input or output. Throws UsageError. */
export function fileOf({ operand }: Invocation): string {
  if (operand === undefined) throw new UsageError('FILE is needed.');
  return operand;
}

/** The account with this email or username. Throws StartupError. */
export async function ownerOf({ users }: Deps, login: string) {
  const owner = await users.findByLogin(login);
  if (!owner) throw new StartupError(`There is no account ${login}.`);
  return owner;
}
