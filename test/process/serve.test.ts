import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { ADMIN, hutch, serve } from './hutch.ts';

describe('serve', () => {
  // proves: sign-in-methods.there-is-no-other-way-to-sign-in, 6.3.2
  test('logs the URL of the docs and the command that creates the first admin', async () => {
    await using server = await serve(tempDir());
    const log = JSON.stringify(server.lines);
    expect(log).toContain(`${server.url}/docs`);
    for (let tries = 0; tries < 100 && server.lines.length < 3; tries++) await Bun.sleep(10);
    expect(JSON.stringify(server.lines)).toContain('admin create');
  });

  test('quotes the command that creates the first admin for a shell', async () => {
    const dir = join(tempDir(), "it's the data");
    await using server = await serve(dir);
    const hint = () => server.lines.find(({ command }) => command !== undefined);
    for (let tries = 0; tries < 100 && !hint(); tries++) await Bun.sleep(10);
    const words = String(hint()?.['command']).split(' admin create ')[1];
    const shell = Bun.spawn(['sh', '-c', `printf '%s\n' ${words}`], { stdout: 'pipe' });
    expect((await shell.stdout.text()).split('\n').slice(0, 2)).toEqual(['--data-dir', dir]);
  });

  test('creates the first admin from its settings once', async () => {
    const dir = tempDir();
    for (const _ of ['first', 'second']) {
      await using server = await serve(dir, { env: ADMIN.env });
      const token = await server.signIn(ADMIN.username, ADMIN.password);
      expect((await server.clientFor(token).api.v1.users.get()).data).toHaveLength(1);
      await server.stop();
    }
  });

  // proves: passwords.a-password-has-8-to-128-characters-of, 6.2.4
  test('creates no first admin with a common password, and explains why', async () => {
    const env = { ...ADMIN.env, HUTCH_ADMIN_PASSWORD: 'password123' };
    const { status, stderr } = await hutch(['serve', '--port', '0', '--data-dir', tempDir()], {
      env,
    });
    expect(stderr).toContain('First admin: The password is one of the most common.');
    expect(stderr).not.toContain('password123');
    expect(status).toBe(1);
  });

  test('a second server on the same data stops with a message', async () => {
    const dir = tempDir();
    await using server = await serve(dir);
    const second = await hutch(['serve', '--port', '0', '--data-dir', dir]);
    expect(second.status).toBe(1);
    expect(second.stderr).toContain('Another hutch is serving');
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test('its lock ends with the process, even after kill -9', async () => {
    const dir = tempDir();
    const first = await serve(dir);
    first.kill('SIGKILL');
    await first.exited;
    await using server = await serve(dir);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test('reports a port that is in use', async () => {
    await using server = await serve(tempDir());
    const { port } = new URL(server.url);
    const { stderr, status } = await hutch(['serve', '--port', port, '--data-dir', tempDir()]);
    expect(status).toBe(1);
    expect(stderr).toContain(port);
  });

  test('reports a data directory that cannot be created', async () => {
    const file = join(tempDir(), 'file');
    await Bun.write(file, '');
    const { stderr, status } = await hutch(['serve', '--data-dir', join(file, 'data')]);
    expect(status).toBe(1);
    expect(stderr).toContain('cannot be created');
  });

  // proves: 13.2.2
  test('creates data files for their owner only', async () => {
    const dir = join(tempDir(), 'data');
    await using _ = await serve(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dir)) {
      expect(`${name} ${(statSync(join(dir, name)).mode & 0o777).toString(8)}`).toBe(`${name} 600`);
    }
  });
});

describe('a stop', () => {
  test('completes requests in progress, writes pending views and leaves no write-ahead log', async () => {
    const dir = tempDir();
    using upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async () => {
        await Bun.sleep(400);
        return Response.json({ slow: true });
      },
    });
    const host = `127.0.0.1:${upstream.port}`;
    const env = { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: host };
    await using server = await serve(dir, { env });
    const client = server.clientFor(await server.signIn(ADMIN.username, ADMIN.password));
    await client.api.v1.items.post({ title: 'a' });
    const slow = client.api.v1.external.get({ query: { url: [`http://${host}/`] } });
    await client.api.v1.items({ item_id: 1 }).get();
    await Bun.sleep(50);
    expect(await server.stop()).toBe(0);
    expect((await slow).data).toEqual([{ slow: true }]);
    expect(readdirSync(dir).toSorted()).toEqual(['hutch.db', 'hutch.events', 'hutch.lock']);
    const db = new Database(join(dir, 'hutch.db'), { readonly: true });
    expect(db.query('select views from item_views').values()).toEqual([[1]]);
    db.close();
  });

  test('waits no longer than the configured time', async () => {
    using upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => Bun.sleep(60_000) as never,
    });
    const host = `127.0.0.1:${upstream.port}`;
    const env = { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: host, HUTCH_SHUTDOWN_SECONDS: '0' };
    await using server = await serve(tempDir(), { env });
    const client = server.clientFor(await server.signIn(ADMIN.username, ADMIN.password));
    const hanging = client.api.v1.external.get({ query: { url: [`http://${host}/`] } });
    await Bun.sleep(100);
    expect(await server.stop()).toBe(0);
    expect((await hanging).error).not.toBeNull();
  });
});
