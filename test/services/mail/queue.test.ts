import { expect, test } from 'bun:test';
import { createMailer } from '../../../src/core/mail/index.ts';
import { type Mailer, MailRefused, type OutgoingMail } from '../../../src/core/mail/mail.ts';
import { createLookup } from '../../../src/core/outbound/lookup.ts';
import { createMails, MAX_ATTEMPTS } from '../../../src/services/mail/queue.ts';
import { HOUR_MS, jobsOf, rows } from '../../core/jobs/support.ts';
import { smtpServer } from '../../smtp.ts';
import { type TestApp, testApp } from '../../support.ts';
import { until } from '../../until.ts';

const MAIL = {
  to: 'ada@example.com',
  subject: 'Hello',
  text: 'the-token',
  html: '<p>the-token</p>',
};

/** A mail queue with a clock, timers and chance that the test controls. */
function queueOf(t: TestApp, send: Mailer['send'], random = () => 0) {
  const it = jobsOf(t, { random });
  const mails = createMails({ queue: it.queue, mailer: { send } });
  return {
    ...it,
    mails,
    send: (mail: OutgoingMail = MAIL) => t.deps.db.write((tx) => mails.enqueue(tx, mail)),
  };
}

const refuse = () => Promise.reject(new Error('451 later'));

// proves: data.mails
test('a mail that was sent is deleted, and its token with it', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const queue = queueOf(t, async (mail) => void sent.push(mail));
  await queue.send();
  await queue.jobs.runDue();
  expect(sent).toEqual([MAIL]);
  expect(rows(t)).toEqual([]);
});

test('a mail waits sealed', async () => {
  await using t = await testApp();
  const queue = queueOf(t, refuse);
  await queue.send();
  expect(rows(t)).toMatchObject([{ name: 'mail', payload: expect.stringMatching(/^v1\./) }]);
});

test('a mail that is rolled back is not sent', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const { mails, jobs } = queueOf(t, async (mail) => void sent.push(mail));
  const failing = t.deps.db.write(async (tx) => {
    await mails.enqueue(tx, MAIL);
    throw new Error('no');
  });
  expect(await failing.catch(String)).toBe('Error: no');
  await jobs.runDue();
  expect(sent).toEqual([]);
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
  const queue = queueOf(t, mailer.send);
  await queue.send();
  await queue.jobs.runDue();
  expect(rows(t)).toMatchObject([{ attempts: 1, due_at: '2026-11-22T16:01:00.000Z' }]);
  expect(rows(t)[0]?.last_error).toContain('Try later');
  isUp = true;
  queue.pass(60_000);
  await queue.jobs.runDue();
  expect(rows(t)).toEqual([]);
  expect(smtp.received).toMatchObject([{ to: ['ada@example.com'] }]);
  mailer.close();
});

// proves: costly-work.mail
test('waits grow from a minute to 6 hours, with jitter', async () => {
  await using t = await testApp();
  const waits = async (random: () => number) => {
    const queue = queueOf(t, refuse, random);
    await queue.send();
    const minutes: number[] = [];
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      await queue.jobs.runDue();
      const waitMs = Date.parse(rows(t)[0]?.due_at ?? '') - queue.now().getTime();
      minutes.push(Math.round(waitMs / 60_000));
      queue.pass(waitMs);
    }
    t.deps.db.client.run('delete from jobs');
    return minutes;
  };
  expect(await waits(() => 0)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 180]);
  expect(await waits(() => 0.999_999)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 360]);
});

// proves: data.mails, costly-work.mail, 16.3.4
test('after 10 failures a mail is given up: stored without its link, logged as an error', async () => {
  await using t = await testApp();
  let calls = 0;
  const queue = queueOf(t, () => Promise.reject(new Error(`451 ${++calls}`)));
  await queue.send();
  for (let attempt = 0; attempt < MAX_ATTEMPTS + 3; attempt++) {
    await queue.jobs.runDue();
    queue.pass(6 * HOUR_MS);
  }
  expect(calls).toBe(MAX_ATTEMPTS);
  const payload = '{"to":"ada@example.com","subject":"Hello"}';
  expect(rows(t)).toMatchObject([{ state: 'dead', attempts: 10, last_error: '451 10', payload }]);
  expect(t.logLines.join('')).toContain('given up');
  expect(t.logLines.join('')).not.toContain('the-token');
});

test('a mail that cannot be sent does not delay others', async () => {
  await using t = await testApp();
  const sent: string[] = [];
  const queue = queueOf(t, async ({ to }) => {
    if (to === 'bad@example.com') throw new Error('550 no such user');
    sent.push(to);
  });
  await queue.send({ ...MAIL, to: 'bad@example.com' });
  for (let n = 0; n < 25; n++) await queue.send({ ...MAIL, to: `a${n}@example.com` });
  await queue.jobs.runDue();
  expect(sent).toHaveLength(25);
  expect(rows(t)).toMatchObject([{ state: 'waiting', attempts: 1 }]);
});

test('50 concurrent runs of the queue send a mail once', async () => {
  await using t = await testApp();
  let calls = 0;
  const queue = queueOf(t, async () => {
    calls++;
    await Bun.sleep(5);
  });
  await queue.send();
  await Promise.all(Array.from({ length: 50 }, () => queue.jobs.runDue()));
  expect(calls).toBe(1);
});

test('no transaction is open while a mail is sent', async () => {
  await using t = await testApp();
  let writes = 0;
  const queue = queueOf(t, () => t.deps.db.write(async () => void writes++));
  await queue.send();
  await queue.jobs.runDue();
  expect(writes).toBe(1);
});

test('queued mails are sent after the start, and none after the stop', async () => {
  await using t = await testApp();
  const sent: OutgoingMail[] = [];
  const queue = queueOf(t, async (mail) => void sent.push(mail));
  await queue.send();
  expect(sent).toEqual([]);
  queue.jobs.start({ isAlone: true });
  await until(() => sent.length === 1);
  await queue.jobs.stop();
  await queue.send();
  expect(sent).toHaveLength(1);
});

test('a permanently refused mail is given up at once, without its link', async () => {
  await using t = await testApp();
  const queue = queueOf(t, () => Promise.reject(new MailRefused('550 no such user')));
  await queue.send();
  await queue.jobs.runDue();
  expect(rows(t)).toMatchObject([{ state: 'dead', attempts: 1, last_error: '550 no such user' }]);
  expect(rows(t)[0]?.payload).not.toContain('token');
  expect(t.logLines.join('')).toMatch(
    /"A job was given up\.".*"job":"mail",.*"attempts":1,.*550 no such user/,
  );
});
