import { SYSTEM } from '../../core/actor.ts';
import { wholeNumber } from '../../core/config/setting.ts';
import type { Deps } from '../../core/deps.ts';
import type { Command, Invocation } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';
import { table } from '../table.ts';

type Control = Deps['jobControl'];
type Query = Parameters<Control['list']>[1];
type Job = Awaited<ReturnType<Control['list']>>['data'][number];

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000_000;
const PAGE = 100;

export const jobsList: Command = {
  name: 'jobs list',
  summary: 'List the jobs that wait, run or have failed.',
  help: `Prints a table, or a JSON array with --json, newest first. A finished job is deleted, and a dead
letter after 30 days. If there are more than --limit, a note on standard error says so. Works while a
server is running.`,
  flags: {
    name: { value: 'name', help: 'Only jobs of this name, such as mail.' },
    state: {
      value: 'state',
      help: 'Only jobs in this state.',
      choices: ['waiting', 'running', 'dead'],
    },
    limit: {
      value: 'count',
      help: `The maximum number of jobs. Default: ${DEFAULT_LIMIT}.`,
      parse: wholeNumber(1, MAX_LIMIT),
    },
    json: { help: 'Print a JSON array.' },
  },
  settings: ['dataDir'],
  run: (invocation) =>
    withDeps(invocation, async ({ jobControl }) => {
      const limit = Number(invocation.flags['limit'] ?? DEFAULT_LIMIT);
      const { jobs, hasMore } = await firstOf(jobControl, queryOf(invocation), limit);
      const isJson = invocation.switches.has('json');
      await print(isJson ? JSON.stringify(jobs, null, 2) : tableOf(jobs));
      if (hasMore) console.error('There are more jobs: raise --limit.');
      return 0;
    }),
};

function queryOf({ flags }: Invocation): Query {
  return { name: flags['name'], state: flags['state'] as Query['state'] };
}

/** Returns the first `limit` jobs. Reads several pages, which may be short although more follow. */
async function firstOf(control: Control, query: Query, limit: number) {
  const jobs: Job[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(PAGE, limit - jobs.length);
    const { data, page } = await control.list(SYSTEM, { ...query, limit: size, cursor });
    jobs.push(...data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && jobs.length < limit);
  return { jobs, hasMore: cursor !== undefined };
}

function tableOf(jobs: readonly Job[]): string {
  const rows = jobs.map((it) => [
    String(it.id),
    it.name,
    it.state,
    String(it.attempts),
    it.due_at,
    it.last_error ?? '',
  ]);
  return table(['ID', 'NAME', 'STATE', 'ATTEMPTS', 'DUE', 'LAST ERROR'], rows);
}
