import { accountLine } from '../account-line.ts';
import { type Command, operandOf } from '../command.ts';
import { openInput } from '../input.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';

/** The bad lines that are listed; the others are only counted. */
const MAX_NAMED = 100;

export const usersImport: Command = {
  name: 'users import',
  operand: 'FILE.jsonl',
  summary: 'Import accounts with their password hashes.',
  help: `Reads one JSON object per line: {email, username?, password_hash, is_active?, role?,
created_at?, email_verified?}, or the field names of PocketBase (passwordHash, verified,
created) or the FastAPI template (hashed_password, is_superuser, full_name). FILE - is standard
input. Hashes are bcrypt, argon2id or argon2i, and are renewed when their owners sign in. All
lines are checked first: if one is bad, nothing is imported unless --skip-bad is given. Accounts
whose email is already registered stay unchanged; those whose line is for an admin are listed. Works
while a server is running.`,
  flags: { 'skip-bad': { help: 'Import the good lines even if others are bad.' } },
  settings: ['dataDir'],
  run: async (invocation) => {
    const skipsBad = invocation.switches.has('skip-bad');
    const { stream } = await openInput(operandOf(invocation));
    return withDeps(invocation, async ({ usersImport: service, now }) => {
      const { accounts, bad, unpromoted } = await service.check(stream);
      for (const { line, reasons } of bad.slice(0, MAX_NAMED)) {
        console.error(`Line ${line}: ${reasons.join(' ')}`);
      }
      if (bad.length > MAX_NAMED) console.error(`… and ${bad.length - MAX_NAMED} more.`);
      if (bad.length > 0 && !skipsBad) {
        console.error(`Imported nothing: bad lines ${bad.length}, good lines ${accounts.length}.`);
        return 1;
      }
      for (const { line, user } of unpromoted.slice(0, MAX_NAMED)) {
        const account = accountLine(user, now());
        console.error(
          `Line ${line}: The email belongs to ${account}, which does not become an admin.`,
        );
      }
      const { imported, existing } = await service.write(accounts);
      await print(`Imported ${imported}, already registered ${existing}, bad lines ${bad.length}.`);
      return 0;
    });
  },
};
