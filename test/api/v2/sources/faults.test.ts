import { describe, expect, test } from 'bun:test';
import { sleep } from '../../../../src/utils/async/abort.ts';
import { type Fault, faults, faultUrl } from '../../../core/outbound/fault-upstream.ts';
import { httpUpstream } from '../../../core/outbound/upstream.ts';
import { sourcesApp } from '../../../sources.ts';

type App = Awaited<ReturnType<typeof sourcesApp>>;
type Call = { source: string; params?: { n: number } } | { url: string };
type Result = { attempts: number } & Record<string, unknown>;

/** 20 of each, by URL as many as one host may have at once at each of five. */
const TIMES = 20;
const HOSTS = 5;
const HANG_MS = 300;
const LIMIT_MS = 4_000;
/** Of the faults that are answers too. */
const STATUS: Record<string, number> = { 304: 304, 500: 500, '429 with Retry-After': 429 };

/** An answer without a body fails v1 alone, which owes its caller JSON; here it has no data. */
const isEmpty = ({ what }: Fault) => what === '204';
const empty = faults.filter(isEmpty);
const failures = faults.filter((fault) => !isEmpty(fault));

describe(`${TIMES} calls in one POST /sources/fetch all fail in time, as the table says`, () => {
  test.each(failures)(
    'by the name of a source, $what: $code',
    async (fault) => {
      await using t = await faultsApp(fault);
      await define(t, fault);
      const results = await inTime(fault, fetchAll(t, byName()));
      expect(results).toEqual(Array(TIMES).fill({ ...failed(fault, /^Source up /), attempts: 1 }));
    },
    15_000,
  );

  test.each(failures)(
    'by URL, $what: $code',
    async (fault) => {
      await using t = await faultsApp(fault);
      const results = await inTime(fault, fetchAll(t, await byUrl(fault)));
      expect(results).toEqual(Array(TIMES).fill(failed(fault, /\b127\.0\.0\.1:\d+ /)));
      // Once, and again where that may help and the host is not left alone meanwhile.
      expect([1, 2]).toContainValues(results.map(({ attempts }) => attempts));
    },
    15_000,
  );
});

describe('all faults and one good call at once', () => {
  const good = { here: true };
  const goodUrl = () => httpUpstream(() => Response.json(good)).url;

  test('in one POST /sources/fetch have each their own code, in order, and lose no data', async () => {
    await using t = await faultsApp();
    const calls: Call[] = await defineAll(t, failures);
    const middle = Math.floor(calls.length / 2);
    const expected: Result[] = failures.map((fault) => ({
      ...failed(fault, /^Source f\d+ /),
      attempts: 1,
    }));
    calls.splice(middle, 0, { url: goodUrl() });
    expected.splice(middle, 0, answered(200, good));
    expect(await inTime({}, fetchAll(t, calls))).toEqual(expected);
  });

  test('of GET /sources/:name are each the problem of its code, and tell no host', async () => {
    await using t = await faultsApp();
    const calls = await defineAll(t, failures);
    await t.define({ base_url: goodUrl() });
    const problems = calls.map(async ({ source }) => problemOf(await t.call(source, t.ada.token)));
    const told = await inTime({}, Promise.all(problems));
    expect(told).toEqual(failures.map(problem));
    expect(JSON.stringify(told)).not.toContain('127.0.0.1');
    expect(await (await t.call('up', t.ada.token)).json()).toEqual(good);
  });
});

describe('an answer without a body', () => {
  test.each(empty)('is one without data, by name and by URL: $what', async (fault) => {
    await using t = await faultsApp(fault);
    await define(t, fault);
    const calls = [...byName(), ...(await byUrl(fault))];
    const results = await inTime(fault, fetchAll(t, calls));
    expect(results).toEqual(calls.map(() => answered(204, null)));
  });

  test.each(empty)('is null to GET /sources/:name: $what', async (fault) => {
    await using t = await faultsApp(fault);
    await define(t, fault);
    const answer = await inTime(fault, t.call('up', t.ada.token));
    const { status, headers } = answer;
    const told = [status, headers.get('x-source-status'), await answer.json()];
    expect(told).toEqual([200, '204', null]);
  });
});

function faultsApp(fault: Partial<Fault> = {}): Promise<App> {
  return sourcesApp(['127.0.0.1'], { externalTimeoutMs: limitMs(fault) });
}

function limitMs({ code }: Partial<Fault>): number {
  return code === 'timeout' ? HANG_MS : LIMIT_MS;
}

/** A source that fails in this way, and says so at once: no second try, no breaker, no queue. */
async function define(t: App, fault: Fault, name = 'up') {
  await t.define({
    name,
    base_url: await faultUrl(fault),
    query: { n: '{n}' },
    parameters: [{ name: 'n', type: 'integer' }],
    timeout_ms: limitMs(fault),
    max_per_host: TIMES,
    retries: 0,
    breaker: null,
  });
}

/** A source for each fault, and a call of each. */
async function defineAll(t: App, all: readonly Fault[]) {
  for (const [index, fault] of all.entries()) await define(t, fault, `f${index}`);
  return all.map((_, index) => ({ source: `f${index}` }));
}

/** Each with a number of its own: a call that is there twice is made once. */
function byName(): Call[] {
  return Array.from({ length: TIMES }, (_, n) => ({ source: 'up', params: { n } }));
}

async function byUrl(fault: Fault): Promise<Call[]> {
  const urls = await Promise.all(Array.from({ length: HOSTS }, () => faultUrl(fault)));
  return Array.from({ length: TIMES }, (_, n) => ({ url: `${urls[n % HOSTS]}?n=${n}` }));
}

async function fetchAll(t: App, calls: Call[]): Promise<Result[]> {
  const answer = await t.json('POST', '/api/v2/sources/fetch', { calls }, t.ada.token);
  if (answer.status !== 200) throw new Error(await answer.text());
  return ((await answer.json()) as { results: Result[] }).results;
}

/** Whatever it took. */
const took = { elapsed_ms: expect.any(Number), attempts: expect.any(Number) };

function failed({ what, code }: Fault, words: RegExp) {
  const error = { code, message: expect.stringMatching(words) };
  return { status: STATUS[what] ?? null, error, cache: null, ...took };
}

function answered(status: number, data: unknown) {
  return { status, data, cache: 'off', ...took };
}

async function problemOf(answer: Response) {
  const type = answer.headers.get('content-type');
  const { code, detail, errors } = (await answer.json()) as Record<string, unknown>;
  return { type, status: answer.status, code, detail, errors };
}

function problem({ code }: Fault) {
  const [status, outer] = code === 'timeout' ? [504, 'upstream_timeout'] : [502, 'upstream_failed'];
  const detail = expect.stringMatching(/^Source f\d+ /);
  const errors = [{ path: 'source', code, message: detail }];
  return { type: 'application/problem+json', status, code: outer, detail, errors };
}

/** What comes; fails the test when it is later than thrice the limit of a call. */
async function inTime<T>(fault: Partial<Fault>, coming: Promise<T>): Promise<T> {
  const inTime = new AbortController();
  const late = sleep(limitMs(fault) * 3, inTime.signal).then(() => {
    throw new Error('late');
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    inTime.abort();
  }
}
