import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { ADMIN, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { faults } from './faults.ts';
import { createFaults } from './shims/disk-shim.ts';
import { hasShim } from './shims/shim.ts';

const BUDGET = { trials: 10, writers: 4, seed: Date.now() };

test.skipIf(!(await hasShim()))(
  `a disk that fails in ${BUDGET.trials} ways loses nothing acknowledged, and the server recovers`,
  async () => {
    const { figures, losses } = await faults.run(BUDGET, () => {});
    expect(losses).toEqual([]);
    expect(Number(figures['failed operations'])).toBeGreaterThan(BUDGET.trials / 2);
    expect(Number(figures['acknowledged writes'])).toBeGreaterThan(BUDGET.trials);
  },
  180_000,
);

test.skipIf(!(await hasShim()))(
  'a full disk is 507, reads go on, and ready says so until there is room',
  async () => {
    const dir = tempDir();
    const disk = createFaults(dir);
    await using server = await serve(dir, { env: { ...ADMIN.env, ...disk.env } });
    const fill = async () => disk.set({ ops: ['write'], error: 28, skip: 0, count: -1 });
    await expectFull(server, fill, async () => disk.clear());
  },
  60_000,
);

// SQLite calls a spent quota a failed write: the server writes a file itself to learn the reason,
// which only strace sees.
test.skipIf(!Bun.which('strace') || process.getuid?.() !== 0)(
  'a spent quota is 507 too',
  async () => {
    const dir = tempDir();
    await using server = await serve(dir, { env: ADMIN.env });
    let strace: Bun.Subprocess | undefined;
    const fill = async () => {
      const paths = ['hutch.db-wal', '.probe'].flatMap((name) => ['-P', join(dir, name)]);
      const inject = ['-e', 'trace=write,pwrite64', '-e', 'inject=write,pwrite64:error=EDQUOT'];
      const args = [
        'strace',
        '-f',
        '-o',
        '/dev/null',
        '-p',
        String(server.pid),
        ...paths,
        ...inject,
      ];
      strace = Bun.spawn(args, { stdout: 'ignore', stderr: 'pipe' });
      // It says so for each thread of the server, and then waits.
      const stderr = strace.stderr as ReadableStream<Uint8Array>;
      for await (const text of stderr) if (Buffer.from(text).includes('attached')) break;
    };
    await expectFull(server, fill, async () => {
      strace?.kill('SIGINT');
      await strace?.exited;
    });
  },
  60_000,
);

async function expectFull(
  server: RunningHutch,
  fill: () => Promise<void>,
  clear: () => Promise<void>,
): Promise<void> {
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const { api, health } = server.clientFor(token);
  await fill();
  const refused = await api.v2.items.post({ title: 'a' });
  const ready = await health.ready.get();
  const list = await api.v2.items.get();
  await clear();
  expect(refused.error?.value).toMatchObject({ code: 'storage_full' });
  expect([refused.status, ready.status, list.status]).toEqual([507, 503, 200]);
  expect(ready.error?.value).toEqual({ status: 'unready', code: 'storage_full' });
  while ((await health.ready.get()).status !== 200) await Bun.sleep(50);
  expect((await api.v2.items.post({ title: 'b' })).status).toBe(201);
}
