import { describe, expect, test } from 'bun:test';
import { sleep } from '../../../../src/utils/async/abort.ts';
import { type Fault, faults, faultUrl } from '../../../core/outbound/fault-upstream.ts';
import { httpUpstream } from '../../../core/outbound/upstream.ts';
import { sourcesApp } from '../../../sources.ts';

type App = Awaited<ReturnType<typeof sourcesApp>>;
type Call = { source: string; params?: { n: number } } | { url: string };
type Result = { attempts: number } & Record<string, unknown>;

/** Calls of each fault; those by URL are spread over five hosts, within the limit of each. */
const TIMES = 20;
const HOSTS = 5;
const HANG_MS = 300;
const LIMIT_MS = 4_000;
/** Statuses of the faults that are responses. */
const STATUS: Record<string, number> = { 304: 304, 500: 500, '429 with Retry-After': 429 };

/** True for a response without a body, which fails only in v1; here it has no data. */
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
      // A call is retried if that may help and the circuit of the host is closed.
      expect([1, 2]).toContainValues(results.map(({ attempts }) => attempts));
    },
    15_000,
  );
});

describe('all faults and one successful call, concurrently,', () => {
  const good = { here: true };
  const goodUrl = () => httpUpstream(() => Response.json(good)).url;

  test('have their own codes in one POST /sources/fetch, in order, and lose no data', async () => {
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

  test('are problems with their own codes in GET /sources/:name, without the host', async () => {
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

describe('a response without a body', () => {
  test.each(empty)('has no data, by name and by URL: $what', async (fault) => {
    await using t = await faultsApp(fault);
    await define(t, fault);
    const calls = [...byName(), ...(await byUrl(fault))];
    const results = await inTime(fault, fetchAll(t, calls));
    expect(results).toEqual(calls.map(() => answered(204, null)));
  });

  test.each(empty)('is null in GET /sources/:name: $what', async (fault) => {
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

/** Defines a source that fails at once: without retries, circuit breaker or queue. */
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

/** Defines a source for each fault and returns a call of each. */
async function defineAll(t: App, all: readonly Fault[]) {
  for (const [index, fault] of all.entries()) await define(t, fault, `f${index}`);
  return all.map((_, index) => ({ source: `f${index}` }));
}

/** Calls with distinct numbers, because equal calls are made once. */
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

/** Any duration and number of attempts. */
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

/** Awaits a value; fails the test if it takes more than three times the limit of a call. */
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
