import { expect } from 'bun:test';
import { testApp } from '../../../support.ts';

export const JSONL = 'application/x-ndjson';
export const CSV = 'text/csv';
export const FULL = {
  title: 'A warm hutch',
  description: 'Straw,\r\n"included".\n',
  url: 'https://example.com/hutch',
  tags: ['wood', 'straw'],
  data: { rabbits: 2, size: { w: 1.5 } },
  visibility: 'private' as const,
};
/** Items that are difficult to represent in cells. */
export const ODD = [
  { title: '=1+1', description: "'=1+1", tags: ['=a', 'b'] },
  { title: '@me', description: '-5', tags: ['a;b', ' c '] },
  { title: "'quoted", description: "''", tags: ['[x]'] },
  { title: '＝１', description: '\tx', tags: ["'[y]", "'"] },
  { title: ' ', url: null, description: '\u{1f407}', tags: ['""'], data: { a: '"\n;' } },
  { title: '\ufeff,', description: '\r', data: { __proto: 1 } },
];

export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface Report {
  created: number;
  failed: number;
  dry_run: boolean;
  errors: { line: number; code: string; message: string }[];
}

export async function withAda(config = {}) {
  const t = await testApp({ config });
  const ada = await t.signUp('ada');
  const send = (type: string, body: Body, query = '', token = ada.token) => {
    const headers = type === '' ? {} : { 'content-type': type };
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const init = { body: bytes, headers, token };
    return t.request('POST', `/api/v2/items/import${query}`, init);
  };
  const load = async (type: string, body: Body, query = '') => {
    const answer = await send(type, body, query);
    expect(answer.status).toBe(200);
    return (await answer.json()) as Report;
  };
  const save = async (query = '', token = ada.token) =>
    (await t.request('GET', `/api/v2/items/export${query}`, { token })).text();
  const titles = () => t.deps.db.client.query('select title from items').values().flat();
  return {
    t,
    ada,
    send,
    load,
    save,
    titles,
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

export const lines = (...values: unknown[]) =>
  values.map((it) => `${JSON.stringify(it)}\n`).join('');
