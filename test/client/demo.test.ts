import { describe, expect, spyOn, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { AnswerError, dataOf, each, newTimings } from '../../examples/demo/calls.ts';
import { PASSWORD, tempDir, testApp } from '../support.ts';
import { run } from './fresh-project.ts';

const runDemo = (...args: string[]) =>
  run([process.execPath, 'examples/demo/index.ts', ...args], '.');

describe('bun run demo', () => {
  test('fills its own server and finds every place in it', async () => {
    const dataDir = tempDir();
    const { stdout, stderr, exitCode } = await runDemo('--count', '500', '--data-dir', dataDir);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Places posted: 500 in ');
    expect(stdout).toMatch(/The most viewed:\n +1,000 {2}Vila, AD {2}https:\/\/www\.openstreetmap/);
    expect(stdout).toEndWith('The server lists 500 of the 500 places.\n');
    expect(await Bun.file(`${dataDir}/hutch.db`).exists()).toBe(true);
    rmSync(dataDir, { recursive: true });
  }, 30_000);

  test('fills a running server, for an account that is created once', async () => {
    await using t = await testApp({ config: { rateLimit: 'off' } });
    const { server } = t.app.listen({ hostname: '127.0.0.1', port: 0, development: false });
    const to = ['--url', `http://127.0.0.1:${server?.port}`, '--username', 'geo', '--password'];
    await t.signUp('ada').then((ada) => ada.client.api.v1.items.post({ title: 'Another' }));
    for (const _ of [1, 2]) {
      const { stdout, exitCode } = await runDemo(...to, PASSWORD, '--count', '150');
      expect(exitCode).toBe(0);
      expect(stdout).toEndWith('The server lists 150 of the 150 places.\n');
    }
    const { data } = await t.client.api.v1.items.get({ query: { skip: 300 } });
    expect(data).toHaveLength(1);
    const wrong = await runDemo(...to, 'wrong-password');
    expect(wrong).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The server answers 400: {"detail":"Email already registered"}\n',
    });
    await server?.stop();
  }, 30_000);

  test('stops cleanly when interrupted', async () => {
    const command = [process.execPath, 'examples/demo/index.ts'];
    const demo = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
    let stdout = '';
    for await (const chunk of demo.stdout.pipeThrough(new TextDecoderStream())) {
      if (stdout === '') demo.kill('SIGINT');
      stdout += chunk;
    }
    expect(await demo.exited).toBe(130);
    expect(await demo.stderr.text()).toBe('');
    expect(stdout).toMatch(/\nInterrupted after [\d,]+ of 171,075 places\.\n$/);
  }, 30_000);

  test('reports an invalid option', async () => {
    const wrong = await Promise.all([
      runDemo('--count', '0'),
      runDemo('--url', 'http://127.0.0.1:1'),
      runDemo('--cuont', '5'),
    ]);
    expect(wrong.map(({ exitCode, stderr }) => [exitCode, stderr.split('\n')[0]])).toEqual([
      [2, '--count must be a whole number from 1.'],
      [2, '--url needs --username and --password.'],
      [2, expect.stringContaining("'--cuont'")],
    ]);
  });
});

describe('a call of the demo', () => {
  const busy = new Response(null, { status: 503, headers: { 'retry-after': '0' } });

  test('is retried while the server is busy', async () => {
    const responses = [
      { data: null, error: { status: 503, value: {} }, response: busy },
      { data: null, error: { status: 503, value: {} }, response: busy },
      { data: 'done', error: null, response: new Response() },
    ];
    const timings = newTimings();
    expect(await dataOf(async () => responses.shift()!, timings)).toBe('done');
    expect([timings.retries, timings.latenciesMs.length]).toEqual([2, 1]);
  });

  test('waits for Retry-After', async () => {
    const response = new Response(null, { status: 503, headers: { 'retry-after': '7' } });
    const slept: unknown[] = [];
    using sleep = spyOn(Bun, 'sleep').mockImplementation(async (ms) => void slept.push(ms));
    const responses = [
      { data: null, error: { status: 503, value: {} }, response },
      { data: 'done', error: null, response: new Response() },
    ];
    await dataOf(async () => responses.shift()!);
    expect(sleep).toHaveBeenCalledTimes(1);
    expect(slept).toEqual([7000]);
  });

  test('fails on any other error, and if the server stays busy', async () => {
    const refused = { data: null, error: { status: 507, value: 'full' } };
    const call = dataOf(async () => ({ ...refused, response: new Response('', { status: 507 }) }));
    await expect(call).rejects.toEqual(new AnswerError('The server answers 507: "full"', 507));
    const error = { status: 503, value: 'busy' };
    const always = dataOf(async () => ({ data: null, error, response: busy }));
    await expect(always).rejects.toEqual(new AnswerError('The server answers 503: "busy"', 503));
    const silent = dataOf(async () => ({ data: null, error, response: null }));
    await expect(silent).rejects.toEqual(new AnswerError('The server does not answer: busy'));
  });

  test('runs once, with at most the given number at a time', async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    await each(20, { inFlight: 3 }, async (index) => {
      most = Math.max(most, ++running);
      await Bun.sleep(0);
      running--;
      seen.push(index);
      return true;
    });
    expect(most).toBe(3);
    expect(seen.sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });
});
