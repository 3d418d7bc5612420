import type { Deps } from '../core/deps.ts';
import { StartupError } from '../core/exceptions.ts';
import { accountLine } from './account-line.ts';
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

/**
 * The account with this email or username. One that may be a stranger's, because its address is
 * not verified, is shown on standard error. Throws StartupError.
 */
export async function ownerOf({ users, now }: Deps, login: string) {
  const owner = await users.findByLogin(login);
  if (!owner) throw new StartupError(`There is no account ${login}.`);
  if (owner.role === 'user' && owner.email_verified_at === null) {
    console.error(`Owner: ${accountLine(owner, now())}.`);
  }
  return owner;
}
