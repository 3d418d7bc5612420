import { describe, expect, test } from 'bun:test';
import { type Body, CSV, JSONL, lines, type Report, withAda } from '../items/transfer-support.ts';

type Ada = Awaited<ReturnType<typeof withAda>>;

const row = (title: string) => ({ title });
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ title: `Item ${index + 1}` }));

/** Imports with a key. */
async function load(
  { t, ada }: Ada,
  body: Body,
  {
    key = 'k',
    type = JSONL,
    query = '',
    token = ada.token,
    signal = null as AbortSignal | null,
  } = {},
) {
  const headers = { 'content-type': type, 'idempotency-key': key };
  const init = { body, headers, token, ...(signal && { signal }) };
  const answer = await t.request('POST', `/api/v2/items/import${query}`, init);
  const value = (await answer.json()) as Report & { code?: string; detail?: string };
  return { status: answer.status, value, isReplayed: answer.headers.get('idempotency-replayed') };
}

/** Sends `sentLines` lines of the body, waits until `stored` rows are stored, and disconnects. */
async function loadPart(
  it: Ada,
  body: string,
  [sentLines, stored]: [number, number],
  options: { type?: string } = {},
) {
  const abort = new AbortController();
  const all = body.split(/(?<=\n)/);
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (sent++ === 0) {
        controller.enqueue(Buffer.from(all.slice(0, sentLines).join('')));
      } else {
        while (count(it) < stored) await Bun.sleep(1);
        abort.abort();
        controller.enqueue(Buffer.from(all.slice(sentLines).join('')));
        controller.close();
      }
    },
  });
  await load(it, stream, { ...options, signal: abort.signal });
}

const titlesOf = ({ titles }: Ada): string[] => titles().map(String);
const count = (it: Ada) => titlesOf(it).length;
const REPORT: Omit<Report, 'created'> = { dry_run: false, errors: [], failed: 0 };
const MISMATCH = { status: 422, value: { code: 'idempotency_mismatch' } };

describe('an import that is repeated with its key', () => {
  test('returns the first report and creates nothing', async () => {
    await using it = await withAda();
    const body = `${lines(row('a'))}x\n${lines(row('b'))}`;
    const first = await load(it, body);
    expect(first).toMatchObject({ status: 200, isReplayed: null });
    expect(first.value).toMatchObject({ created: 2, failed: 1 });
    expect(await load(it, body)).toEqual({ ...first, isReplayed: 'true' });
    expect(titlesOf(it)).toEqual(['a', 'b']);
  });

  test('is the same with other spaces, line endings and empty lines at its end', async () => {
    await using it = await withAda();
    await load(it, '{"title":"a"}\n{"title":"b"}\n');
    const repeat = await load(it, '{ "title": "a" }\r\n{"title":"b"}\n\n');
    expect(repeat).toMatchObject({ status: 200, isReplayed: 'true', value: { created: 2 } });
    expect(count(it)).toBe(2);
  });

  test.each([
    ['another line', lines(row('a'), row('c'))],
    ['a line less', lines(row('a'))],
    ['a line more', lines(row('a'), row('b'), row('c'))],
    ['a shifted line', `\n${lines(row('a'), row('b'))}`],
    ['no lines', ''],
  ])('is refused with %s', async (_, body) => {
    await using it = await withAda();
    await load(it, lines(row('a'), row('b')));
    expect(await load(it, body)).toMatchObject(MISMATCH);
    expect(titlesOf(it)).toEqual(['a', 'b']);
  });

  test('is refused as another request: another format, route or account has its own keys', async () => {
    await using it = await withAda();
    await load(it, lines(row('a')));
    expect(await load(it, 'title\na\n', { type: CSV })).toMatchObject(MISMATCH);
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
    const init = { body: '{"title":"a"}', headers, token: it.ada.token };
    expect((await it.t.request('POST', '/api/v2/items', init)).status).toBe(422);
    const bob = await it.t.signUp('bob');
    expect((await load(it, lines(row('b')), { token: bob.token })).value.created).toBe(1);
    expect(titlesOf(it)).toEqual(['a', 'b']);
  });

  test('creates nothing again, even if its rows were erased', async () => {
    await using it = await withAda();
    await load(it, lines(row('a')));
    const { items } = it.ada.client.api.v2;
    await items({ item_id: 1 }).delete();
    await items({ item_id: 1 }).bin.delete();
    expect((await load(it, lines(row('a')))).isReplayed).toBe('true');
    expect(count(it)).toBe(0);
  });
});

describe('an import that ended early', () => {
  const BODY = `${lines(...rows(150))}x\n${lines(...rows(300))}y\n`;

  test('continues after the rows that it stored, and reports the whole body', async () => {
    await using it = await withAda();
    await loadPart(it, BODY, [330, 200]);
    expect(count(it)).toBe(200);
    const whole = await load(it, BODY);
    expect(whole).toMatchObject({ status: 200, isReplayed: null });
    expect(whole.value).toMatchObject({ created: 450, failed: 2 });
    expect(whole.value.errors.map(({ line }) => line)).toEqual([151, 452]);
    expect(count(it)).toBe(450);
    expect(await load(it, BODY)).toEqual({ ...whole, isReplayed: 'true' });
  });

  test('continues in CSV too', async () => {
    await using it = await withAda();
    const body = `title\r\n${rows(500)
      .map(({ title }) => `${title}\r\n`)
      .join('')}`;
    await loadPart(it, body, [430, 400], { type: CSV });
    expect(count(it)).toBe(400);
    expect((await load(it, body, { type: CSV })).value).toEqual({ ...REPORT, created: 500 });
    expect(new Set<string>(titlesOf(it)).size).toBe(500);
  });

  test('is refused and creates nothing if a stored line differs', async () => {
    await using it = await withAda();
    await loadPart(it, BODY, [330, 200]);
    const other = BODY.replace('"Item 7"', '"Item seven"');
    expect(await load(it, other)).toMatchObject(MISMATCH);
    expect(await load(it, lines(...rows(100)))).toMatchObject(MISMATCH);
    expect(count(it)).toBe(200);
  });

  test('continues with other lines than those that were not stored', async () => {
    await using it = await withAda();
    const stored = lines(...rows(200));
    await loadPart(it, stored + lines(row('lost')), [200, 200]);
    expect((await load(it, stored + lines(row('other')))).value).toEqual({
      ...REPORT,
      created: 201,
    });
    expect(titlesOf(it).slice(199)).toEqual(['Item 200', 'other']);
  });

  test('can end early several times', async () => {
    await using it = await withAda();
    const body = lines(...rows(700));
    await loadPart(it, body, [250, 200]);
    await loadPart(it, body, [450, 400]);
    expect(count(it)).toBe(400);
    expect((await load(it, body)).value.created).toBe(700);
    expect(new Set<string>(titlesOf(it)).size).toBe(700);
  });

  test('at a quota continues at the row that did not fit', async () => {
    await using it = await withAda({ quotaItems: 250 });
    const body = lines(...rows(300));
    const refused = await load(it, body);
    expect(refused).toMatchObject({ status: 403, value: { code: 'quota_exceeded' } });
    expect(refused.value.detail).toEndWith('items created before: 250');
    const admin = await it.t.signUp('root', 'admin');
    const { users } = admin.client.api.v2;
    await users({ user_id: it.ada.id }).usage.patch({ items_limit: 1000 });
    expect((await load(it, body)).value).toEqual({ ...REPORT, created: 300 });
    expect(new Set<string>(titlesOf(it)).size).toBe(300);
  });

  test('without a key creates its rows again', async () => {
    await using it = await withAda();
    const body = lines(...rows(3));
    await it.load(JSONL, body);
    await it.load(JSONL, body);
    expect(count(it)).toBe(6);
  });
});

describe('a key', () => {
  test('of an import in progress is 409 for another one', async () => {
    await using it = await withAda();
    const open = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await open.promise;
        controller.enqueue(Buffer.from(lines(row('a'))));
        controller.close();
      },
    });
    const first = load(it, body);
    await Bun.sleep(0);
    const second = await load(it, lines(row('a')));
    expect(second).toMatchObject({ status: 409, value: { code: 'idempotency_running' } });
    open.resolve();
    expect((await first).value.created).toBe(1);
  });

  test('is ignored by a dry run', async () => {
    await using it = await withAda();
    const dry = { query: '?dry_run=true' };
    expect((await load(it, lines(row('a')), dry)).value.created).toBe(1);
    expect((await load(it, lines(row('b')))).value.created).toBe(1);
    expect((await load(it, lines(row('c')), dry)).isReplayed).toBeNull();
    expect(titlesOf(it)).toEqual(['b']);
  });

  test('that is invalid is refused before anything is read', async () => {
    await using it = await withAda();
    expect(await load(it, lines(row('a')), { key: 'ä b' })).toMatchObject({ status: 422 });
    expect(count(it)).toBe(0);
  });

  test('counts once towards the quota of stored responses', async () => {
    await using it = await withAda();
    await loadPart(it, lines(...rows(500)), [450, 400]);
    await load(it, lines(...rows(500)));
    const { client } = it.t.deps.db;
    const stored = client
      .query('select count(*), sum(length(body)) from idempotency_keys')
      .values();
    const used = client
      .query('select idempotency_keys, idempotency_bytes from account_usage where user_id = ?')
      .values(it.ada.id);
    expect(used).toEqual(stored);
    expect(used[0]?.[0]).toBe(1);
  });
});
