import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { ADMIN, COMMAND, freePort, type RunningHutch, serve } from './hutch.ts';

const env = { PATH: process.env['PATH'] ?? '', HUTCH_LOG_FORMAT: 'json' };
const messages = ({ lines }: RunningHutch) => lines.map(({ message }) => message);

const SURVIVED = [
  ...(['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGWINCH', 'SIGALRM', 'SIGVTALRM'] as const),
  ...(['SIGPROF', 'SIGIO', 'SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGXFSZ', 'SIGPWR'] as const),
];

/** Starts a command without waiting for its output. */
function start(args: string[], more: Record<string, string> = {}) {
  return Bun.spawn([...COMMAND, ...args], {
    env: { ...env, ...more },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

async function isLive(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/live`)).status === 200;
}

describe('a server', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGXCPU'] as const)(
    'shuts down cleanly on %s',
    async (signal) => {
      const dir = tempDir();
      await using server = await serve(dir);
      server.kill(signal);
      expect(await server.exited).toBe(0);
      expect(messages(server)).toContain('Stopped.');
      expect(existsSync(join(dir, 'hutch.db-wal'))).toBe(false);
    },
    30_000,
  );

  test('ignores signals that are neither faults nor stops, without a terminal', async () => {
    await using server = await serve(tempDir());
    for (const signal of SURVIVED) {
      server.kill(signal);
      for (let count = 0; count < 3; count++) expect(await isLive(server.url), signal).toBe(true);
      expect(server.hasEnded(), signal).toBe(false);
    }
  }, 30_000);

  test.each(['SIGHUP', 'SIGUSR1'] as const)(
    'logs %s, which has no effect',
    async (signal) => {
      await using server = await serve(tempDir());
      server.kill(signal);
      const logged = () => server.lines.filter((line) => line['signal'] === signal);
      while (logged().length === 0) await Bun.sleep(10);
      expect(String(logged()[0]?.['message'])).toContain('restart');
    },
    30_000,
  );

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'exits immediately on a second %s, with the status of a shell',
    async (signal, status) => {
      await using server = await serve(tempDir(), { env: { HUTCH_SHUTDOWN_SECONDS: '300' } });
      server.kill(signal);
      while (!messages(server).includes('Stopping.')) await Bun.sleep(5);
      server.kill(signal);
      expect(await server.exited).toBe(status);
    },
    30_000,
  );

  test('pauses while suspended, and continues afterwards', async () => {
    await using server = await serve(tempDir());
    server.kill('SIGTSTP');
    const isAlive = isLive(server.url);
    server.kill('SIGCONT');
    expect(await isAlive).toBe(true);
  }, 30_000);

  test('stops when its terminal closes', async () => {
    let screen = '';
    const child = Bun.spawn([...COMMAND, 'serve', '--port', '0', '--data-dir', tempDir()], {
      env,
      terminal: {
        data: (_, data) => {
          screen += new TextDecoder().decode(data);
        },
      },
    });
    while (!screen.includes('Listening.')) await Bun.sleep(10);
    child.kill('SIGHUP');
    expect(await child.exited).toBe(0);
    child.terminal?.close();
  }, 30_000);

  test('stopped during a migration exits soon and leaves an intact database', async () => {
    for (const delayMs of [100, 200, 300, 400]) {
      const dir = tempDir();
      const child = start(['serve', '--port', '0', '--data-dir', dir]);
      await Bun.sleep(delayMs);
      child.kill('SIGTERM');
      await child.exited;
      await using server = await serve(dir);
      expect(await isLive(server.url)).toBe(true);
      await server.stop();
      using db = new Database(join(dir, 'hutch.db'));
      expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
    }
  }, 60_000);

  test('runs without standard streams, and does not write its log into the database', async () => {
    const dir = tempDir();
    const port = String(freePort());
    const command = [...COMMAND, 'serve', '--port', port, '--data-dir', dir].join(' ');
    const child = Bun.spawn(['sh', '-c', `exec ${command} <&- >&- 2>&-`], { env });
    const isUp = () => isLive(`http://127.0.0.1:${port}`).catch(() => false);
    while (!(await isUp())) await Bun.sleep(50);
    child.kill('SIGTERM');
    expect(await child.exited).toBe(0);
    using db = new Database(join(dir, 'hutch.db'));
    expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
  }, 30_000);
});

describe('a command', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
  ] as const)(
    'exits on %s with one line, and preserves committed rows',
    async (signal, status) => {
      const dir = tempDir();
      {
        await using server = await serve(dir, { env: ADMIN.env });
        await server.stop();
      }
      const fifo = join(dir, 'items.jsonl');
      expect(await Bun.spawn(['mkfifo', fifo]).exited).toBe(0);
      const child = start(['items', 'import', fifo, '--owner', ADMIN.username, '--data-dir', dir]);
      // Opening succeeds once the command reads; the open writer prevents the end of the input.
      const shell = `exec 3>"${fifo}"; echo open; echo '{"title":"x"}' >&3; exec sleep 60`;
      const writer = Bun.spawn(['sh', '-c', shell], { stdout: 'pipe' });
      await writer.stdout.getReader().read();
      child.kill(signal);
      const [stderr, ended] = await Promise.all([child.stderr.text(), child.exited]);
      writer.kill();
      await writer.exited;
      expect(ended).toBe(status);
      expect(stderr).toContain(`hutch items import: stopped by ${signal}.`);
      using db = new Database(join(dir, 'hutch.db'));
      expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
    },
    30_000,
  );
});
