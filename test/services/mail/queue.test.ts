import { expect, test } from 'bun:test';
import { createMailer } from '../../../src/core/mail/index.ts';
import { type Mailer, MailRefused, type OutgoingMail } from '../../../src/core/mail/mail.ts';
import { createLookup } from '../../../src/core/outbound/lookup.ts';
import { createMails, MAX_ATTEMPTS } from '../../../src/services/mail/queue.ts';
import { type Queued, queued, smtpServer } from '../../smtp.ts';
import { type TestApp, testApp } from '../../support.ts';
import { until } from '../../until.ts';

const MAIL = {
  to: 'ada@example.com',
  subject: 'Hello',
  text: 'the-token',
  html: '<p>the-token</p>',
};
const HOUR_MS = 3_600_000;

/** A queue with a clock, timers and chance that the test holds. */
function queueOf(t: TestApp, mailer: Mailer, random = () => 0) {
  let at = Date.parse('2026-11-22T16:00:00.000Z');
  const timers: { wake: () => void; delayMs: number }[] = [];
  const setTimer = (wake: () => void, delayMs: number) => {
    const timer = { wake, delayMs };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
  };
  const { db, log } = t.deps;
  const now = () => new Date(at);
  const mails = createMails({ db, log, mailer, now, random, setTimer });
  return {
    mails,
    timers,
    now,
    pass: (ms: number) => {
      at += ms;
    },
    enqueue: (mail: OutgoingMail = MAIL) => db.write((tx) => mails.enqueue(tx, mail)),
  };
}

const stub = (send: Mailer['send']): Mailer => ({ send, close: () => {} });
const refuse = stub(() => Promise.reject(new Error('451 later')));

type Row = Queued & { attempts: number; next_attempt_at: string; last_error: string };
const rows = async (t: TestApp) => (await queued(t)) as Row[];

// proves: data.mails
test('a mail that was sent is deleted, and its token with it', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const queue = queueOf(
    t,
    stub(async (mail) => void sent.push(mail)),
  );
  await queue.enqueue();
  await queue.mails.sendDue();
  expect(sent).toEqual([MAIL]);
  expect(await rows(t)).toEqual([]);
});

test('a mail that is rolled back is not sent', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const { mails } = queueOf(
    t,
    stub(async (mail) => void sent.push(mail)),
  );
  mails.start();
  const failing = t.deps.db.write(async (tx) => {
    await mails.enqueue(tx, MAIL);
    throw new Error('no');
  });
  expect(await failing.catch(String)).toBe('Error: no');
  await mails.sendDue();
  expect(sent).toEqual([]);
});

test('a commit with a new mail wakes the worker at once, without a timer', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const queue = queueOf(
    t,
    stub(async (mail) => void sent.push(mail)),
  );
  queue.mails.start();
  await queue.enqueue();
  await until(() => sent.length === 1);
  expect(queue.timers).toEqual([]);
  await queue.mails.stop();
});

test('a server that refused a mail is tried again a minute later', async () => {
  await using t = await testApp();
  let isUp = false;
  await using smtp = await smtpServer({
    take: () => {
      if (!isUp) throw Object.assign(new Error('Try later'), { responseCode: 451 });
    },
  });
  const { log, config } = t.deps;
  const lookup = createLookup();
  const own = { smtpUrl: smtp.url, from: 'a@example.com', appName: 'Hutch', log, lookup };
  const mailer = createMailer({ ...config, ...own });
  const queue = queueOf(t, mailer);
  queue.mails.start();
  await queue.enqueue();
  await until(() => queue.timers.length === 1);
  expect(await rows(t)).toMatchObject([{ attempts: 1 }]);
  expect((await rows(t))[0]?.last_error).toContain('Try later');
  expect(queue.timers[0]?.delayMs).toBe(60_000);
  isUp = true;
  queue.pass(60_000);
  queue.timers[0]?.wake();
  await until(async () => (await rows(t)).length === 0);
  expect(smtp.received).toMatchObject([{ to: ['ada@example.com'] }]);
  await queue.mails.stop();
});

// proves: costly-work.mail
test('waits grow from a minute to 6 hours, with jitter', async () => {
  await using t = await testApp();
  const waits = async (random: () => number) => {
    const queue = queueOf(t, refuse, random);
    await queue.enqueue();
    const minutes: number[] = [];
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      await queue.mails.sendDue();
      const waitMs =
        Date.parse(String((await rows(t))[0]?.next_attempt_at)) - queue.now().getTime();
      minutes.push(Math.round(waitMs / 60_000));
      queue.pass(waitMs);
    }
    t.deps.db.client.run('delete from mails');
    return minutes;
  };
  expect(await waits(() => 0)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 180]);
  expect(await waits(() => 0.999_999)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 360]);
});

// proves: data.mails, costly-work.mail, 16.3.4
test('after 10 failures a mail is given up: stored without its link, logged as an error', async () => {
  await using t = await testApp();
  let calls = 0;
  const queue = queueOf(
    t,
    stub(() => Promise.reject(new Error(`451 ${++calls}`))),
  );
  await queue.enqueue();
  for (let attempt = 0; attempt < MAX_ATTEMPTS + 3; attempt++) {
    await queue.mails.sendDue();
    queue.pass(6 * HOUR_MS);
  }
  expect(calls).toBe(MAX_ATTEMPTS);
  const [mail] = await rows(t);
  expect(mail).toMatchObject({ recipient: MAIL.to, attempts: 10, last_error: '451 10' });
  expect(JSON.stringify(mail)).not.toContain('the-token');
  expect(t.logLines.join('')).toContain('given up');
  expect(t.logLines.join('')).not.toContain('the-token');
});

test('a mail that cannot be sent does not delay others', async () => {
  await using t = await testApp();
  const sent: string[] = [];
  const send = async ({ to }: OutgoingMail) => {
    if (to === 'bad@example.com') throw new Error('550 no such user');
    sent.push(to);
  };
  const queue = queueOf(t, stub(send));
  await queue.enqueue({ ...MAIL, to: 'bad@example.com' });
  for (let n = 0; n < 25; n++) await queue.enqueue({ ...MAIL, to: `a${n}@example.com` });
  await queue.mails.sendDue();
  expect(sent).toHaveLength(25);
  expect(await rows(t)).toMatchObject([{ recipient: 'bad@example.com', attempts: 1 }]);
});

test('50 concurrent wakes start one worker', async () => {
  await using t = await testApp();
  let calls = 0;
  const send = async () => {
    calls++;
    await Bun.sleep(5);
  };
  const queue = queueOf(t, stub(send));
  await queue.enqueue();
  await Promise.all(Array.from({ length: 50 }, () => queue.mails.sendDue()));
  expect(calls).toBe(1);
});

test('no transaction is open while a mail is sent', async () => {
  await using t = await testApp();
  let writes = 0;
  const send = () => t.deps.db.write(async () => void writes++);
  const queue = queueOf(t, stub(send));
  await queue.enqueue();
  await queue.mails.sendDue();
  expect(writes).toBe(1);
});

test('a mail whose deletion failed is not sent again by this process', async () => {
  await using t = await testApp();
  let calls = 0;
  const queue = queueOf(
    t,
    stub(async () => void calls++),
  );
  await queue.enqueue();
  t.deps.db.client.run(
    `create trigger stuck before delete on mails begin select raise(abort, 'stuck'); end`,
  );
  queue.mails.start();
  await until(() => queue.timers.length === 1);
  expect(queue.timers[0]?.delayMs).toBe(60_000);
  t.deps.db.client.run('drop trigger stuck');
  queue.timers[0]?.wake();
  await until(async () => (await rows(t)).length === 0);
  expect(calls).toBe(1);
  expect(t.logLines.join('')).toContain('The mail queue failed.');
  await queue.mails.stop();
});

test('queued mails are sent after the start, and none after the stop', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const queue = queueOf(
    t,
    stub(async (mail) => void sent.push(mail)),
  );
  await queue.enqueue();
  expect(sent).toEqual([]);
  queue.mails.start();
  await until(() => sent.length === 1);
  await queue.mails.stop();
  await queue.enqueue();
  expect(sent).toHaveLength(1);
});

test('a permanently refused mail is given up at once, without its link', async () => {
  await using t = await testApp();
  const refused = stub(() => Promise.reject(new MailRefused('550 no such user')));
  const queue = queueOf(t, refused);
  await queue.enqueue();
  await queue.mails.sendDue();
  expect(await rows(t)).toMatchObject([
    { attempts: MAX_ATTEMPTS, text: '', html: '', last_error: '550 no such user' },
  ]);
  expect(t.logLines.join('')).toMatch(/"A mail was given up\.".*"attempts":1,.*550 no such user/);
});
