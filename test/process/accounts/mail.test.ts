import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { smtpServer, tokenIn } from '../../smtp.ts';
import { tempDir } from '../../support.ts';
import { until } from '../../until.ts';
import { serve } from '../hutch.ts';

const ada = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };

/** What a mail says, without how it is wrapped on its way. */
const plain = (raw: string) => raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');

test('a mail that was queued survives kill -9 and is sent after the next start', async () => {
  const dir = tempDir();
  let isAsked = false;
  // Takes the mail and never says so: the server is killed while it waits for an answer.
  const silent = await smtpServer({
    take: () => {
      isAsked = true;
      return new Promise(() => {});
    },
  });
  const env = { HUTCH_SMTP_URL: silent.url, HUTCH_PUBLIC_URL: '' };
  const first = await serve(dir, { env });
  expect((await first.clientFor().api.v2.auth.register.post(ada)).status).toBe(201);
  await until(() => isAsked);
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

test('without SMTP a newcomer finds the mail where the log says', async () => {
  const dir = tempDir();
  await using server = await serve(dir);
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => server.lines.some(({ path }) => String(path).endsWith('.eml')));
  const [name] = readdirSync(join(dir, 'outbox'));
  const token = tokenIn(plain(readFileSync(join(dir, 'outbox', String(name)), 'utf8')));
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(JSON.stringify(server.lines)).not.toContain(token);
}, 30_000);

test('on a free port the links of mails lead to the port that was taken', async () => {
  const dir = tempDir();
  await using server = await serve(dir);
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => server.lines.some(({ path }) => String(path).endsWith('.eml')));
  const [name] = readdirSync(join(dir, 'outbox'));
  const mail = plain(readFileSync(join(dir, 'outbox', String(name)), 'utf8'));
  expect(mail).toContain(`${server.url}/verify#token=`);
}, 30_000);

// proves: 16.5.2
test('a stop does not wait for a mail server that does not answer', async () => {
  const dir = tempDir();
  let isAsked = false;
  const silent = await smtpServer({
    take: () => {
      isAsked = true;
      return new Promise(() => {});
    },
  });
  const server = await serve(dir, { env: { HUTCH_SMTP_URL: silent.url } });
  await server.clientFor().api.v2.auth.register.post(ada);
  await until(() => isAsked);
  expect(await server.stop()).toBe(0);
}, 15_000);
