import { type Ledger, wallMs } from './ledger.ts';

/** The target of writers; `token` is an admin's. */
export interface Target {
  url: string;
  token: string;
}

/** Items of one batch. */
const BATCH = 10;

/** Answers by status; `none` counts the requests that got no answer. */
export type Answers = Record<string, number>;

type Send = (method: string, path: string, body: unknown, key?: string) => Promise<Response>;
type Write = (send: Send, ledger: Ledger, name: string) => Promise<Response>;

/** Single items by v1 and by v2 with a key, a batch, and changes of one item, in turn. */
const WRITES: Write[] = [
  (send, ledger, title) =>
    create(ledger, title, { items: 1, isKeyed: false }, () =>
      send('POST', '/api/v1/items', { title }),
    ),
  (send, ledger, title) =>
    create(ledger, title, { items: 1, isKeyed: true }, () =>
      send('POST', '/api/v2/items', { title }, title),
    ),
  (send, ledger, title) =>
    create(ledger, title, { items: BATCH, isKeyed: false }, () => {
      const operations = Array.from({ length: BATCH }, () => ({ op: 'create', item: { title } }));
      return send('POST', '/api/v2/items/batch', { operations });
    }),
];

/**
 * Writes until `signal` is aborted or the server gives no answer any more, and notes in the
 * ledger what was sent and acknowledged. `name` begins every title, and must not be used twice.
 */
export async function writeUntilGone(
  target: Target,
  ledger: Ledger,
  name: string,
  signal?: AbortSignal,
): Promise<Answers> {
  const answers: Answers = {};
  const send = sender(target);
  const change = await editor(send, ledger, `${name}.edited`);
  for (let count = 0; !signal?.aborted; count++) {
    const write = WRITES[count % (WRITES.length + 1)] ?? change;
    const status = await write(send, ledger, `${name}.${count}`).then(
      (answer) => String(answer.status),
      () => 'none',
    );
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === 'none') break;
  }
  return answers;
}

function sender({ url, token }: Target): Send {
  return async (method, path, body, key) => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(key && { 'idempotency-key': key }),
    };
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    // An answer counts when all of it has come.
    await answer.clone().arrayBuffer();
    return answer;
  };
}

async function create(
  ledger: Ledger,
  title: string,
  kind: { items: number; isKeyed: boolean },
  send: () => Promise<Response>,
): Promise<Response> {
  const entry: { title: string; items: number; isKeyed: boolean; acknowledgedAt?: number } = {
    title,
    ...kind,
  };
  ledger.entries.set(title, entry);
  const answer = await send();
  if (answer.ok) entry.acknowledgedAt = wallMs();
  return answer;
}

/** Makes one item, and returns what changes it once more; without one, what makes another. */
async function editor(send: Send, ledger: Ledger, title: string): Promise<Write> {
  const edited = { title, sent: 0, acknowledgedAt: [] as number[] };
  ledger.edited.set(title, edited);
  const made = await send('POST', '/api/v2/items', { title, description: '0' }).catch(() => null);
  if (!made?.ok) return WRITES[0] as Write;
  const { id } = (await made.json()) as { id: number };
  return async (again) => {
    const number = edited.acknowledgedAt.length + 1;
    edited.sent = Math.max(edited.sent, number);
    const answer = await again('PATCH', `/api/v2/items/${id}`, { description: String(number) });
    if (answer.ok) edited.acknowledgedAt.push(wallMs());
    return answer;
  };
}
