import { expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../../src/core/log.ts';
import { createMailer } from '../../../src/core/mail/index.ts';
import { MailRefused } from '../../../src/core/mail/mail.ts';
import { createLookup } from '../../../src/core/outbound/lookup.ts';
import { smtpServer } from '../../smtp.ts';
import { tempDir } from '../../support.ts';

const FROM = 'Hutch <hutch@example.com>';
const MAIL = {
  to: 'ada@example.com',
  subject: 'Grüße',
  text: 'http://x/#token=secret\n',
  html: '<p>secret</p>',
};
const NOW = new Date('2026-11-22T16:00:00.000Z');

function mailer(smtpUrl: string, from = FROM) {
  const dataDir = tempDir();
  const lines: string[] = [];
  const now = () => NOW;
  const log = createLog({
    level: 'debug',
    format: 'json',
    write: (it) => void lines.push(it),
    now,
  });
  const lookup = createLookup();
  return {
    ...createMailer({ smtpUrl, from, appName: 'Warren', dataDir, log, lookup, now }),
    dataDir,
    lines,
  };
}

test('mail is sent to the SMTP server with the credentials of the URL', async () => {
  const logins: unknown[] = [];
  await using smtp = await smtpServer({
    authOptional: false,
    onAuth: ({ username, password }, _session, done) => {
      logins.push([username, password]);
      done(null, { user: username });
    },
  });
  const { send, close } = mailer(`smtp://me:p%40ss@127.0.0.1:${smtp.port}`);
  await send(MAIL);
  close();
  expect(logins).toEqual([['me', 'p@ss']]);
  expect(smtp.received).toMatchObject([{ from: 'hutch@example.com', to: ['ada@example.com'] }]);
  expect(smtp.received[0]?.raw).toMatch(/multipart\/alternative/);
});

// proves: data.secret-of-the-operator
test('a rejected login fails without showing the password', async () => {
  await using smtp = await smtpServer({
    authOptional: false,
    onAuth: (_auth, _session, done) => done(new Error('no')),
  });
  const { send, close } = mailer(`smtp://me:pa55word@127.0.0.1:${smtp.port}`);
  const error = await send(MAIL).catch((it) => it);
  close();
  expect(String(error)).toMatch(/Invalid login/);
  expect(Bun.inspect(error)).not.toContain('pa55word');
});

// proves: cryptography.outbound-tls-smtp, outbound-calls.the-smtp-server-of-hutch-smtp-url, 12.3.2
test('a server whose certificate is not trusted receives no mail', async () => {
  await using smtp = await smtpServer({ disabledCommands: [] });
  const { send, close } = mailer(smtp.url);
  expect(await send(MAIL).catch((it) => it)).toBeInstanceOf(Error);
  close();
  expect(smtp.received).toEqual([]);
});

// proves: outbound-calls.the-smtp-server-of-hutch-smtp-url, 12.3.1
test('a remote server without TLS receives no mail, unless the URL allows it', async () => {
  await using smtp = await smtpServer();
  // 127.1 does not count as loopback, so this is a remote server.
  const url = `smtp://127.1:${smtp.port}`;
  for (const [query, count] of [
    ['', 0],
    ['/?requireTLS=false', 1],
  ] as const) {
    const { send, close } = mailer(`${url}${query}`);
    await send(MAIL).catch((error) => expect(String(error)).toMatch(/STARTTLS|TLS/));
    close();
    expect(smtp.received).toHaveLength(count);
  }
});

// proves: 12.3.1
test('mail is sent over TLS, implicit or by STARTTLS', async () => {
  for (const secure of [true, false]) {
    await using smtp = await smtpServer({ secure, disabledCommands: [] });
    const scheme = secure ? 'smtps' : 'smtp';
    const url = `${scheme}://127.0.0.1:${smtp.port}/?tls.rejectUnauthorized=false&requireTLS=true`;
    const { send, close } = mailer(url);
    await send(MAIL);
    close();
    expect(smtp.received).toMatchObject([{ to: ['ada@example.com'], isSecure: true }]);
  }
});

test('sending rejects if the server is unreachable or the mailer is closed meanwhile', async () => {
  const { port, ...gone } = await smtpServer();
  await gone[Symbol.asyncDispose]();
  const absent = mailer(`smtp://127.0.0.1:${port}`);
  expect(await absent.send(MAIL).catch((it) => it)).toBeInstanceOf(Error);
  absent.close();
  await using smtp = await smtpServer({ take: () => cut() });
  const { send, close } = mailer(smtp.url);
  const cut = () => close();
  expect(await send(MAIL).catch((it) => it)).toBeInstanceOf(Error);
});

// proves: 1.3.11
test('an address that looks like a list reaches no recipient of that list', async () => {
  await using smtp = await smtpServer();
  const { send, close } = mailer(smtp.url);
  await send({ ...MAIL, to: 'a@example.com, b@example.com' }).catch(() => {});
  close();
  expect(smtp.received.flatMap(({ to }) => to)).not.toContain('b@example.com');
});

// proves: 1.2.1, 1.3.11
test('a line break in the subject adds no header', async () => {
  await using smtp = await smtpServer();
  const { send, close } = mailer(smtp.url);
  await send({ ...MAIL, subject: 'Hello\r\nBcc: eve@example.com' });
  close();
  expect(smtp.received[0]?.to).toEqual(['ada@example.com']);
  expect(smtp.received[0]?.raw).not.toMatch(/^Bcc:/m);
});

// proves: logs.outbox, 5.3.2
test('without a server, mail is written to a private file, which the log names', async () => {
  const { send, dataDir, lines } = mailer('');
  await send(MAIL);
  await send(MAIL);
  const outbox = join(dataDir, 'outbox');
  const names = readdirSync(outbox).toSorted();
  expect(names).toEqual(['20261122T160000.000Z-1.eml', '20261122T160000.000Z-2.eml']);
  const path = join(outbox, String(names[0]));
  expect([statSync(outbox).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(readFileSync(path, 'utf8')).toContain('To: ada@example.com\r\n');
  expect(JSON.parse(String(lines[0]))).toMatchObject({ level: 'info', path, subject: 'Grüße' });
  expect(lines.join('')).not.toContain('secret');
});

test('a restarted server overwrites no file', async () => {
  const first = mailer('');
  await first.send(MAIL);
  const { dataDir, lines } = first;
  const log = createLog({ level: 'error', format: 'json', write: () => {}, now: () => NOW });
  const own = { smtpUrl: '', from: FROM, appName: 'Warren', dataDir, log, lookup: createLookup() };
  const again = createMailer({ ...own, now: () => NOW });
  await again.send({ ...MAIL, text: 'other' });
  expect(readdirSync(join(dataDir, 'outbox'))).toHaveLength(2);
  expect(readFileSync(JSON.parse(String(lines[0])).path, 'utf8')).toContain('secret');
});

test('a URL that is not SMTP stops the start, and the error omits it', () => {
  const make = () => mailer('https://me:pa55word@mail.example.com');
  expect(make).toThrow(/^HUTCH_SMTP_URL must be/);
  expect(make).not.toThrow(/pa55word/);
});

test('a mail has its sender and the header of automatic mails', async () => {
  await using smtp = await smtpServer();
  const senders = [
    ['hutch@example.com', 'From: Warren <hutch@example.com>'],
    ['"Hay, Straw" <hutch@example.com>', 'From: "Hay, Straw" <hutch@example.com>'],
    ['Müller <hutch@example.com>', 'From: =?UTF-8?Q?M=C3=BCller?= <hutch@example.com>'],
  ] as const;
  for (const [from, header] of senders) {
    const { send, close } = mailer(smtp.url, from);
    await send(MAIL);
    close();
    const { raw = '', from: sender } = smtp.received.at(-1) ?? {};
    expect(sender).toBe('hutch@example.com');
    expect(raw).toContain(`\r\n${header}\r\n`);
    expect(raw).toContain('Auto-Submitted: auto-generated\r\n');
  }
  const { send, dataDir } = mailer('');
  await send(MAIL);
  const [name = ''] = readdirSync(join(dataDir, 'outbox'));
  const written = readFileSync(join(dataDir, 'outbox', name), 'utf8');
  expect(written).toContain('From: Hutch <hutch@example.com>');
  expect(written).toContain('Auto-Submitted: auto-generated');
});

const refusing = (responseCode: number) => (_: unknown, _session: unknown, done: Done) =>
  done(Object.assign(new Error('no'), { responseCode }));
type Done = (error?: Error | null) => void;

test.each([
  ['onMailFrom', 550, true],
  ['onMailFrom', 530, false],
  ['onRcptTo', 550, true],
  ['onRcptTo', 554, true],
  ['onRcptTo', 450, false],
  ['onConnect', 554, false],
] as const)(
  'a reply in %s with code %d is a permanent refusal: %p',
  async (hook, code, isFinal) => {
    const refuse = refusing(code);
    const onConnect = (session: unknown, done: Done) => refuse(undefined, session, done);
    await using smtp = await smtpServer(hook === 'onConnect' ? { onConnect } : { [hook]: refuse });
    const { send, close } = mailer(smtp.url);
    const error = await send(MAIL).catch((it) => it);
    close();
    expect(error).toBeInstanceOf(Error);
    expect(error instanceof MailRefused).toBe(isFinal);
  },
);

test('a refused message is permanent, a refused login is not', async () => {
  const take = () => {
    throw Object.assign(new Error('spam'), { responseCode: 554 });
  };
  await using smtp = await smtpServer({ take });
  const first = mailer(smtp.url);
  expect(await first.send(MAIL).catch((it) => it)).toBeInstanceOf(MailRefused);
  first.close();
  await using closed = await smtpServer({
    authOptional: false,
    onAuth: (_auth, _session, done) => done(new Error('no')),
  });
  const second = mailer(`smtp://me:pw@127.0.0.1:${closed.port}`);
  expect(await second.send(MAIL).catch((it) => it)).not.toBeInstanceOf(MailRefused);
  second.close();
});

test('an address beyond ASCII is sent only to servers with SMTPUTF8', async () => {
  for (const hideSMTPUTF8 of [false, true]) {
    await using smtp = await smtpServer({ hideSMTPUTF8 });
    const { send, close } = mailer(smtp.url);
    const sent = send({ ...MAIL, to: 'jos\u00e9@example.com' });
    if (hideSMTPUTF8) {
      const error = await sent.catch((it) => it);
      expect(error).toBeInstanceOf(MailRefused);
      expect(String(error)).toContain('SMTPUTF8');
    } else await sent;
    expect(smtp.received).toHaveLength(hideSMTPUTF8 ? 0 : 1);
    // A domain has an ASCII form.
    await send({ ...MAIL, to: 'jose@m\u00fcller.example' });
    expect(smtp.received.at(-1)?.raw).toContain('To: jose@xn--mller-kva.example');
    close();
  }
});
