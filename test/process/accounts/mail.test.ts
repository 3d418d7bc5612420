import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { smtpServer, tokenIn } from '../../smtp.ts';
import { tempDir } from '../../support.ts';
import { until } from '../../until.ts';
import { serve } from '../hutch.ts';

const ada = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };

/** The text of a mail without its transfer encoding. */
const plain = (raw: string) => raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');

test('a queued mail survives kill -9 and is sent after the next start', async () => {
  const dir = tempDir();
  let isReceived = false;
  // Never acknowledges the mail, so that the server is killed while it waits.
  const silent = await smtpServer({
    take: () => {
      isReceived = true;
      return new Promise(() => {});
    },
  });
  const env = { HUTCH_SMTP_URL: silent.url, HUTCH_PUBLIC_URL: '' };
  const first = await serve(dir, { env });
  expect((await first.clientFor().api.v2.auth.register.post(ada)).status).toBe(201);
  await until(() => isReceived);
  first.kill('SIGKILL');
  await first.exited;

  await using smtp = await smtpServer();
  await using again = await serve(dir, { env: { HUTCH_SMTP_URL: smtp.url } });
  await until(() => smtp.received.length === 1);
  expect(smtp.received[0]?.to).toEqual([ada.email]);
  const token = tokenIn(plain(String(smtp.received[0]?.raw)));
  const proof = { token, password: ada.password };
  const { confirm } = again.clientFor().api.v2.auth.verification;
  expect((await confirm.post(proof)).data).toEqual({ kept: true, reset_token: null });
  expect(JSON.stringify([first.lines, again.lines])).not.toContain(token);
}, 30_000);

test('without SMTP the mail is in the file that the log names', async () => {
  const dir = tempDir();
  await using server = await serve(dir);
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => server.lines.some(({ path }) => String(path).endsWith('.eml')));
  const [name] = readdirSync(join(dir, 'outbox'));
  const token = tokenIn(plain(readFileSync(join(dir, 'outbox', String(name)), 'utf8')));
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(JSON.stringify(server.lines)).not.toContain(token);
}, 30_000);

test('with port 0 the links in mails have the actual port', async () => {
  const dir = tempDir();
  await using server = await serve(dir);
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => server.lines.some(({ path }) => String(path).endsWith('.eml')));
  const [name] = readdirSync(join(dir, 'outbox'));
  const mail = plain(readFileSync(join(dir, 'outbox', String(name)), 'utf8'));
  expect(mail).toContain(`${server.url}/verify#token=`);
}, 30_000);

// proves: 16.5.2
test('a stop does not wait for a mail server that does not respond', async () => {
  const dir = tempDir();
  let isReceived = false;
  const silent = await smtpServer({
    take: () => {
      isReceived = true;
      return new Promise(() => {});
    },
  });
  const server = await serve(dir, { env: { HUTCH_SMTP_URL: silent.url } });
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => isReceived);
  expect(await server.stop()).toBe(0);
}, 15_000);
