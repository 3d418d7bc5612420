import type { Deps } from '../core/deps.ts';
import { StartupError } from '../core/exceptions.ts';
import { newToken } from '../core/security/security.ts';
import { reasonOf } from '../utils/system-error.ts';
import { accountProblems, passwordProblems } from '../utils/text/account.ts';
import { nameKey } from '../utils/text/email.ts';
import { accountLine, type FoundAccount } from './account-line.ts';
import { type Command, type Invocation, UsageError } from './command.ts';
import { configOf, openDeps } from './open.ts';
import { print } from './output.ts';

const WARNING = `Anyone can sign up with any email, so the account may belong to someone else. Making it an admin sets
a new password and ends all its present credentials: password, sessions, tokens, passkeys,
authenticator, linked sign-ins and mailed links.`;

export const adminCreate: Command = {
  name: 'admin create',
  summary: 'Create an admin, or promote an existing account.',
  help: `The password is the first line of --password-file; without that option a password is
generated and printed once. If an account with the email exists, the command shows it and promotes
it only if you confirm: on a terminal it prompts you, elsewhere use --promote. The account then gets
the new password, and all its earlier credentials end. Use this also to recover an admin who lost the
password or the second factor. Works while a server is running.`,
  flags: {
    email: { value: 'email', help: 'Email of the admin.', isRequired: true },
    username: {
      value: 'name',
      help: 'Username of the admin. Required for a new account; renames an existing one.',
    },
    'password-file': {
      value: 'file',
      help: 'File whose first line is the password; - reads standard input.',
    },
    promote: { help: 'Promote an existing account without confirmation.' },
  },
  settings: ['dataDir'],
  run: async (invocation) => {
    const { email = '' } = invocation.flags;
    const isPromotion = invocation.switches.has('promote');
    const config = configOf(invocation);
    const deps = openDeps(config);
    try {
      const user = await deps.users.findByEmail(email);
      if (user) await promote(deps, user, invocation, isPromotion);
      else await createNew(deps, email, invocation);
      return 0;
    } finally {
      await deps.close();
    }
  },
};

async function promote(
  deps: Deps,
  user: FoundAccount,
  invocation: Invocation,
  isConfirmed: boolean,
) {
  const { id, email } = user;
  const { username = user.username } = invocation.flags;
  const isRenamed = nameKey(username) !== nameKey(user.username);
  const line = accountLine(user, deps.now());
  if (user.role === 'admin' && user.is_active && !isConfirmed) {
    if (isRenamed)
      throw new StartupError(`The email belongs to ${line}, which has another username.`);
    await print(`${line} is already an admin. Nothing was changed.`);
    return;
  }
  const notes = [`The email belongs to ${line}.`, WARNING];
  if (isRenamed) notes.push(`Its username will be ${JSON.stringify(username)}.`);
  if (!isConfirmed) await confirmOnTerminal(notes.join('\n'), invocation);
  const password = await newPassword(invocation);
  const account = { email, username, password: password.text };
  refuseProblems([
    ...(isRenamed ? accountProblems(account) : passwordProblems(password.text)),
    deps.weaknessOf(password.text, account),
  ]);
  const changes = { password: password.text, ...(isRenamed && { username }) };
  await deps.operator.promote(user, changes);
  const renamed = isRenamed ? ` Its username is now ${JSON.stringify(username)}.` : '';
  await print(`Account ${id} is now an admin. All its earlier credentials have ended.${renamed}`);
  if (password.isGenerated) await print(`Password: ${password.text}`);
}

/** Throws StartupError unless a person at a terminal agrees. */
async function confirmOnTerminal(notes: string, { flags }: Invocation): Promise<void> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && flags['password-file'] !== '-';
  if (!isTerminal) {
    const hint = 'Nothing was changed. If the account is yours, repeat the command with --promote.';
    throw new StartupError(`${notes}\n${hint}`);
  }
  await print(notes);
  if (!confirm('Promote it to admin?')) throw new StartupError('Nothing was changed.');
}

async function createNew(deps: Deps, email: string, invocation: Invocation): Promise<void> {
  const { username } = invocation.flags;
  if (!username) throw new UsageError('A new account needs --username.');
  const password = await newPassword(invocation);
  const account = { email, username, password: password.text };
  refuseProblems([...accountProblems(account), deps.weaknessOf(password.text, account)]);
  const holder = await deps.users.findByLogin(username);
  if (holder) {
    throw new StartupError(`The username belongs to ${accountLine(holder, deps.now())}.`);
  }
  const { id } = await deps.users.create(account, { role: 'admin' });
  await print(`Created the admin ${username} (id ${id}).`);
  if (password.isGenerated) await print(`Password: ${password.text}`);
}

/** Throws UsageError with all problems, if there are any. */
function refuseProblems(problems: (string | undefined)[]): void {
  const found = problems.filter((it) => it !== undefined);
  if (found.length > 0) throw new UsageError(found.join('\n'));
}

/** Returns the password of --password-file or, without it, a generated one. Throws UsageError. */
async function newPassword({ flags }: Invocation) {
  const text = await readPassword(flags['password-file']);
  return { text: text ?? newToken().slice(0, 20), isGenerated: text === undefined };
}

async function readPassword(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const text = await (path === '-' ? Bun.stdin : Bun.file(path)).text();
    return text.split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new UsageError(`--password-file ${path} cannot be read: ${reasonOf(error)}.`);
  }
}
