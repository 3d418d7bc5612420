import type { Deps } from '../../core/deps.ts';
import { StartupError } from '../../core/exceptions.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { accountLine } from '../account-line.ts';
import type { Flag, Invocation } from '../command.ts';

export const FORMAT_FLAG: Flag = {
  value: 'format',
  help: 'Default: csv for a name that ends in .csv, else jsonl.',
  choices: ['jsonl', 'csv'],
};

/** The format in --format or, without it, of the file name. */
export function formatOf({ flags, operand }: Invocation): 'jsonl' | 'csv' {
  const isCsv = operand?.toLowerCase().endsWith('.csv');
  return (flags['format'] ?? (isCsv ? 'csv' : 'jsonl')) as 'jsonl' | 'csv';
}

/**
 * The account with this email or username. Prints the account on standard error if its address is
 * not verified, because it may belong to a stranger. Throws StartupError.
 */
export async function ownerOf({ users, now }: Deps, login: string) {
  const owner = await users.findByLogin(login);
  if (!owner) throw new StartupError(`There is no account ${login}.`);
  if (owner.role === 'user' && owner.email_verified_at === null) {
    console.error(`Owner: ${accountLine(owner, now())}.`);
  }
  return owner;
}

/** The services that import and export the rows of a resource. */
export type Transfer = Deps['exchange'][string];

/** Returns the services that import and export the rows of a resource. */
export function transferOf({ exchange }: Deps, { name }: Definition): Transfer {
  const transfer = exchange[name];
  if (!transfer) throw new StartupError(`There is no resource ${name}.`);
  return transfer;
}
