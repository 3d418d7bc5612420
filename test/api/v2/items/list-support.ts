import { type TestApp, testApp } from '../../../support.ts';

export interface List {
  data: { id: number; [name: string]: unknown }[];
  page: { next_cursor: string | null; has_more: boolean; limit: number };
  total?: number;
  total_is_capped?: boolean;
}

/** The response to a query: its list, or the paths of its problems. */
export async function getItems(t: TestApp, query: string | Record<string, string>, token?: string) {
  const search = new URLSearchParams(query);
  const answer = await t.request('GET', `/api/v2/items?${search}`, token ? { token } : {});
  const body = (await answer.json()) as List & { code?: string; errors?: { path: string }[] };
  const ids = body.data?.map(({ id }) => id);
  return {
    status: answer.status,
    body,
    ids,
    code: body.code,
    paths: body.errors?.map((it) => it.path),
  };
}

const ITEMS = [
  { title: 'A warm hutch', description: 'Straw included.', tags: ['wood', 'a,b'], data: { n: 2 } },
  {
    title: 'Élan',
    description: 'warm',
    url: 'https://a.example/x',
    data: { n: '2', deep: { a: true } },
  },
  {
    title: '100% hutch',
    tags: ['wood', 'straw'],
    data: { n: null },
    visibility: 'private' as const,
  },
  { title: 'hutch_two', tags: ['straw'], data: { n: 2.5 } },
];

/** Ada's four items, the third private. */
export async function withItems() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  for (const item of ITEMS) await ada.client.api.v2.items.post(item);
  return { t, ada, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}
