import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { hutch } from '../hutch.ts';

/** A data directory with a dead letter and a waiting job. */
async function withJobs() {
  const dir = tempDir();
  await hutch(['migrate', '--data-dir', dir]);
  const at = '2026-11-22T16:00:00.000Z';
  using database = new Database(join(dir, 'hutch.db'));
  database.run(
    `insert into jobs (name, state, payload, attempts, due_at, last_error, created_at) values
     ('source-refresh', 'dead', '1', 10, '${at}', '503 later', '${at}'),
     ('mail', 'dead', '{"to":"ada@example.com"}', 10, '${at}', '451 later', '${at}'),
     ('source-refresh', 'waiting', '1', 0, '${at}', null, '${at}')`,
  );
  const jobs = (...args: string[]) => hutch(['jobs', ...args, '--data-dir', dir]);
  return { jobs };
}

test('jobs list prints jobs, newest first, by name and state', async () => {
  const { jobs } = await withJobs();
  const { stdout, status } = await jobs('list', '--state', 'dead');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(lines).toEqual([
    ['ID', 'NAME', 'STATE', 'ATTEMPTS', 'DUE', 'LAST ERROR'],
    ['2', 'mail', 'dead', '10', '2026-11-22T16:00:00.000Z', '451 later'],
    ['1', 'source-refresh', 'dead', '10', '2026-11-22T16:00:00.000Z', '503 later'],
  ]);
  expect(status).toBe(0);
  const limited = await jobs('list', '--limit', '1', '--json');
  expect(JSON.parse(limited.stdout)).toMatchObject([{ id: 3, state: 'waiting', attempts: 0 }]);
  expect(limited.stderr).toContain('There are more jobs');
}, 30_000);

test('jobs retry makes a dead letter wait, and says why one cannot be retried', async () => {
  const { jobs } = await withJobs();
  const retried = await jobs('retry', '1');
  expect(retried.stdout).toBe('The job 1 (source-refresh) waits to run again.\n');
  const refused = await jobs('retry', '2');
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringContaining('Job 2 has lost its payload'),
  ]);
  expect((await jobs('retry', '9')).stderr).toContain('Job 9 not found');
  expect((await jobs('retry', 'x')).status).toBe(2);
}, 30_000);
