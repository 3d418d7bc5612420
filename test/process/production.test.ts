import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { tempDir } from '../support.ts';
import { serve } from './hutch.ts';

/** The peak resident size of a process, in MB. */
function peakMb(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

// proves: costly-work.bodies
test('nested arrays use little memory, regardless of NODE_ENV', async () => {
  await using server = await serve(tempDir(), { env: { NODE_ENV: 'development' } });
  const login = (body: string) =>
    fetch(`${server.url}/api/v2/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  await login('{"login":[],"password":"x"}');
  const before = peakMb(server.pid);
  const depth = 8_000;
  const nested = await login(`{"login":${'['.repeat(depth)}${']'.repeat(depth)},"password":"x"}`);
  expect(nested.status).toBeWithin(400, 500);
  expect(peakMb(server.pid) - before).toBeLessThan(100);
});

test('the program sets NODE_ENV before it imports a module that reads it', async () => {
  const source = await Bun.file('src/index.ts').text();
  expect(source.match(/^import .*$/m)?.[0]).toBe("import './production.ts';");
});
