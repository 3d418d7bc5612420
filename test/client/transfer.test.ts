import { describe, expect, test } from 'bun:test';
import { createClient, orThrow, pages } from '../../src/client.ts';
import { tempDir, testApp } from '../support.ts';

const LINES = '{"title":"one"}\n{"title":"two"}\n';
const CSV = 'title\none\ntwo\n';

async function* chunks() {
  for (const part of [LINES.slice(0, 9), LINES.slice(9)]) yield new TextEncoder().encode(part);
}

/** A server on a real port, which receives bodies as fetch sends them. */
async function listening() {
  const t = await testApp({ config: { rateLimit: 'off' } });
  const { token } = await t.signUp('ada');
  const { server } = t.app.listen({ hostname: '127.0.0.1', port: 0, development: false });
  const client = createClient(`http://127.0.0.1:${server?.port}`, { token });
  return {
    items: client.v2.items,
    [Symbol.asyncDispose]: async () => {
      await server?.stop();
      await t[Symbol.asyncDispose]();
    },
  };
}

describe('an import accepts', () => {
  test.each([
    ['a Blob', () => new Blob([LINES], { type: 'application/jsonl' })],
    ['a Blob without a type', () => new Blob([LINES])],
    ['a File with a CSV name', () => new File([CSV], 'items.CSV')],
    [
      'a File with the type of a spreadsheet',
      () => new File([CSV], 'a.csv', { type: 'application/vnd.ms-excel' }),
    ],
    ['bytes', () => new TextEncoder().encode(LINES)],
    ['an ArrayBuffer', () => new TextEncoder().encode(LINES).buffer],
    ['a string', () => LINES],
    ['a stream', () => new Blob([LINES]).stream()],
    ['an async iterable of chunks', chunks],
  ])('%s', async (_, bodyOf) => {
    await using it = await listening();
    const report = orThrow(await it.items.import.post(bodyOf()));
    expect(report).toMatchObject({ created: 2, failed: 0 });
  });

  test('a file on disk', async () => {
    await using it = await listening();
    const path = `${tempDir()}/items.csv`;
    await Bun.write(path, CSV);
    expect(orThrow(await it.items.import.post(Bun.file(path))).created).toBe(2);
  });

  test('the format that the call sets', async () => {
    await using it = await listening();
    const file = new File([CSV], 'items.txt', { type: 'text/plain' });
    const report = await it.items.import.post(file, { query: { format: 'csv' } });
    expect(orThrow(report).created).toBe(2);
    const typed = await it.items.import.post(CSV, { headers: { 'content-type': 'text/csv' } });
    expect(orThrow(typed).created).toBe(2);
  });
});

describe('an export', () => {
  test.each([0, 1, 3000])('of %i items is a stream', async (count) => {
    await using it = await listening();
    const lines = Array.from({ length: count }, (_, n) => `{"title":"${n}"}\n`).join('');
    if (count > 0) orThrow(await it.items.import.post(lines));
    for (const format of ['jsonl', 'csv'] as const) {
      const data = orThrow(await it.items.export.get({ query: { format } }));
      expect(data).toBeInstanceOf(ReadableStream);
      const text = await new Response(data).text();
      expect(text.trim().split('\n').filter(Boolean)).toHaveLength(
        format === 'csv' ? count + 1 : count,
      );
    }
  });
});

describe('pages', () => {
  test('iterates over all entries, or over the pages', async () => {
    await using it = await listening();
    const lines = Array.from({ length: 25 }, (_, n) => `{"title":"${n}"}\n`).join('');
    orThrow(await it.items.import.post(lines));
    const all = pages(it.items, { query: { limit: 10, sort: 'id' } });
    const titles: string[] = [];
    for await (const { title = '' } of all) titles.push(title);
    expect(titles).toEqual(Array.from({ length: 25 }, (_, n) => String(n)));
    const sizes: number[] = [];
    for await (const { data } of all.byPage()) sizes.push(data.length);
    expect(sizes).toEqual([10, 10, 5]);
  });

  test('requests no unnecessary page', async () => {
    let calls = 0;
    const fetch = async () => {
      calls++;
      return Response.json({ data: [{ id: calls }], page: { next_cursor: `c${calls}` } });
    };
    for await (const { id } of pages(createClient('http://localhost', { fetch }).v2.items)) {
      if (id === 2) break;
    }
    expect(calls).toBe(2);
  });

  test('throws the error of a page', async () => {
    await using t = await testApp();
    const walk = async () => {
      for await (const _ of pages(t.client.v2.items, { query: { cursor: 'wrong' } }));
    };
    await expect(walk()).rejects.toMatchObject({ name: 'HutchError', code: 'invalid_cursor' });
  });
});
