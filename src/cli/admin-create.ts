import { createDeps, type Deps } from '../core/deps.ts';
import { AppError, StartupError } from '../core/exceptions.ts';
import { newToken } from '../core/security.ts';
import { accountProblems } from '../utils/account.ts';
import { type Command, configOf, type Invocation, logOf, UsageError } from './command.ts';

export const adminCreate: Command = {
  name: 'admin create',
  summary: 'Create an admin, or make an existing account one.',
  help: `Works while a server is running on the same data directory. The password is read from
--password-file (- is standard input); without it one is made up and printed once. When an
account with the email exists it becomes an active admin and keeps its password.`,
  flags: {
    email: 'Email of the admin (required).',
    username: 'Username of the admin (required for a new account).',
    'password-file': 'File whose first line is the password; - reads standard input.',
  },
  settings: ['dataDir'],
  run: async (invocation) => {
    const { email, username } = invocation.flags;
    if (!email) throw new UsageError('--email is needed.');
    const config = configOf(invocation);
    const deps = createDeps(config, { log: logOf({ ...config, logLevel: 'error' }) });
    try {
      const promoted = await deps.users.promote(email);
      if (promoted) {
        console.log(`${promoted.username} (id ${promoted.id}) is an admin.`);
        return 0;
      }
      if (!username) throw new UsageError('--username is needed for a new account.');
      await createNew(deps, email, username, await readPassword(invocation));
      return 0;
    } finally {
      await deps.close();
    }
  },
};

async function createNew(deps: Deps, email: string, username: string, given: string | undefined) {
  const password = given ?? newToken().slice(0, 20);
  const problems = accountProblems({ email, username, password });
  const weakness = deps.weaknessOf(password, { email, username });
  if (weakness !== undefined) problems.push(weakness);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  try {
    const { id } = await deps.users.create({ email, username, password }, { role: 'admin' });
    console.log(`Made the admin ${username} (id ${id}).`);
    if (given === undefined) console.log(`Password: ${password}`);
  } catch (error) {
    throw error instanceof AppError ? new StartupError(`${error.message}.`) : error;
  }
}

async function readPassword({ flags }: Invocation): Promise<string | undefined> {
  const path = flags['password-file'];
  if (path === undefined) return undefined;
  try {
    const text = await (path === '-' ? Bun.stdin : Bun.file(path)).text();
    return text.split(/\r?\n/)[0] ?? '';
  } catch {
    throw new UsageError(`--password-file cannot be read: ${path}.`);
  }
}
