import { wholeNumber } from '../../core/config/setting.ts';
import type { Deps } from '../../core/deps.ts';
import { timeOf } from '../../utils/time/time.ts';
import type { Command, Flag, Invocation } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';
import { table } from '../table.ts';

type Query = Parameters<Deps['operator']['list']>[0];
type Account = Awaited<ReturnType<Deps['operator']['list']>>['data'][number];

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000_000;
const PAGE = 100;

const time = (help: string): Flag => ({
  value: 'time',
  help: `${help}, such as 2026-11-22 or 2026-11-22T16:00:00Z.`,
  parse: (text) =>
    timeOf(text) === undefined
      ? { problem: 'must be an existing date, or a time of RFC 3339' }
      : { value: text },
});

export const usersList: Command = {
  name: 'users list',
  summary: 'List accounts.',
  help: `Prints a table, or a JSON array with --json, of the accounts that match every filter. If there are
more than --limit, a note on standard error says so. Works while a server is running.`,
  flags: {
    search: { value: 'text', help: 'A prefix of the username or the email, ignoring case.' },
    role: { value: 'role', help: 'Only accounts with this role.', choices: ['user', 'admin'] },
    state: {
      value: 'state',
      help: 'Only accounts in this state.',
      choices: ['active', 'disabled'],
    },
    'created-after': time('Only accounts created after this time'),
    'created-before': time('Only accounts created before this time'),
    sort: {
      value: 'key',
      help: 'Order; a minus reverses it. Default: id.',
      choices: ['id', '-id', 'created_at', '-created_at', 'username', '-username'],
    },
    limit: {
      value: 'count',
      help: `The maximum number of accounts. Default: ${DEFAULT_LIMIT}.`,
      parse: wholeNumber(1, MAX_LIMIT),
    },
    json: { help: 'Print a JSON array.' },
  },
  settings: ['dataDir'],
  run: (invocation) =>
    withDeps(invocation, async ({ operator }) => {
      const limit = Number(invocation.flags['limit'] ?? DEFAULT_LIMIT);
      const { accounts, hasMore } = await firstOf(operator, queryOf(invocation), limit);
      const isJson = invocation.switches.has('json');
      await print(isJson ? JSON.stringify(accounts, null, 2) : tableOf(accounts));
      if (hasMore) console.error('There are more accounts: raise --limit.');
      return 0;
    }),
};

function queryOf({ flags }: Invocation): Query {
  return {
    q: flags['search'],
    role: flags['role'] as Query['role'],
    is_active: flags['state'] === undefined ? undefined : flags['state'] === 'active',
    created_after: timeOf(flags['created-after'] ?? ''),
    created_before: timeOf(flags['created-before'] ?? ''),
    sort: flags['sort'] as Query['sort'],
  };
}

/** Returns the first `limit` accounts. Reads several pages, which may be short although more follow. */
async function firstOf(users: Deps['operator'], query: Query, limit: number) {
  const accounts: Account[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(PAGE, limit - accounts.length);
    const { data, page } = await users.list({ ...query, limit: size, cursor });
    accounts.push(...data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && accounts.length < limit);
  return { accounts, hasMore: cursor !== undefined };
}

function tableOf(accounts: readonly Account[]): string {
  const rows = accounts.map((it) => [
    String(it.id),
    it.email,
    it.email_verified ? 'yes' : 'no',
    it.username,
    it.role,
    it.is_active ? 'active' : 'disabled',
    it.created_at,
  ]);
  return table(['ID', 'EMAIL', 'VERIFIED', 'USERNAME', 'ROLE', 'STATE', 'CREATED'], rows);
}
