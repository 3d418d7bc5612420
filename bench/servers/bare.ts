/**
 * The limit that Hutch is measured against: the same answers from the same rows, written by
 * hand on Bun.serve and bun:sqlite, with no framework, no validation library, no limits on
 * outside calls and every write committed by itself. Its one argument is the database file.
 */
import { isItemRequest, notFound, refused, requestIdOf, tokenHashOf } from './bare-http.ts';
import { openStatements } from './bare-store.ts';

const POPULAR_TTL_MS = 60_000;
const HOUR_MS = 3_600_000;
const SESSION_MS = 30 * 86_400_000;

const db = openStatements(Bun.argv[2] ?? '');
let popular = { text: '', madeAtMs: Number.NEGATIVE_INFINITY };

const json = (request: Request, value: unknown) =>
  Response.json(value, { headers: { 'x-request-id': requestIdOf(request) } });

function callerOf(request: Request) {
  const hash = tokenHashOf(request);
  return hash && db.identity.get(hash, new Date().toISOString());
}

function getUser(request: Bun.BunRequest<'/api/v1/users/:user_id'>): Response {
  const caller = callerOf(request);
  if (!caller) return refused(request, 401, 'Not authenticated');
  const id = Number(request.params.user_id);
  if (caller.id !== id && caller.role !== 'admin') {
    return refused(request, 403, 'Not enough permissions');
  }
  const user = db.userById.get(id);
  return user
    ? json(request, { ...user, is_active: user.is_active === 1 })
    : refused(request, 404, 'User not found');
}

function listItems(request: Request): Response {
  const query = new URL(request.url).searchParams;
  const limit = Number(query.get('limit') ?? 100);
  const skip = Number(query.get('skip') ?? 0);
  if (!(limit >= 1 && limit <= 100 && skip >= 0)) return refused(request, 422, 'Invalid window');
  return json(request, db.itemPage.all(limit, skip));
}

async function createItem(request: Request): Promise<Response> {
  const caller = callerOf(request);
  if (!caller) return refused(request, 401, 'Not authenticated');
  const body: unknown = await request.json();
  if (!isItemRequest(body)) return refused(request, 422, 'Invalid item');
  const { title, description = '', url = null } = body;
  const now = new Date().toISOString();
  return json(request, insertItem(title, description, url, caller.id, now));
}

/** With its event, as the contract has it. */
function insertItem(
  title: string,
  description: string,
  url: string | null,
  owner: number,
  now: string,
) {
  return db.transaction(() => {
    // Not `.get()`: with RETURNING it never lets SQLite checkpoint, and the log grows for ever.
    const [item] = db.insertItem.all(title, description, url, owner, now, now);
    if (item) db.insertEvent.run(item.id, owner, now);
    return item;
  });
}

function viewItem(request: Bun.BunRequest<'/api/v1/items/:item_id'>): Response {
  const id = Number(request.params.item_id);
  const item = db.transaction(() => {
    db.addView.run(id);
    db.addHour.run(Math.floor(Date.now() / HOUR_MS), id);
    return db.item.all(id)[0];
  }) as ReturnType<typeof db.item.get>;
  return item ? json(request, item) : notFound(request, `Item ${id} not found`);
}

function listPopular(request: Request): Response {
  const now = performance.now();
  const isHit = now - popular.madeAtMs < POPULAR_TTL_MS;
  if (!isHit) popular = { text: JSON.stringify(db.popular.all(10)), madeAtMs: now };
  return new Response(popular.text, {
    headers: {
      'content-type': 'application/json;charset=utf-8',
      'x-request-id': requestIdOf(request),
      'x-cache': isHit ? 'hit' : 'miss',
      age: String(Math.floor((now - popular.madeAtMs) / 1000)),
    },
  });
}

async function fetchExternal(request: Request): Promise<Response> {
  if (!callerOf(request)) return refused(request, 401, 'Not authenticated');
  const urls = new URL(request.url).searchParams.getAll('url');
  const answers = await Promise.all(urls.map(async (url) => (await fetch(url)).json()));
  return json(request, answers);
}

async function signIn(request: Request): Promise<Response> {
  const form = new URLSearchParams(await request.text());
  const key = (form.get('username') ?? '').toLowerCase();
  const user = db.userByLogin.get(key, key);
  if (!user || !(await Bun.password.verify(form.get('password') ?? '', user.password_hash))) {
    return refused(request, 400, 'Incorrect email or password');
  }
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  const now = Date.now();
  const expires = new Date(now + SESSION_MS).toISOString();
  const hash = Bun.SHA256.hash(token, 'hex');
  db.insertSession.run(user.id, hash, new Date(now).toISOString(), expires);
  return json(request, { access_token: token, token_type: 'bearer' });
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  routes: {
    '/health/live': (request) => json(request, { status: 'ok' }),
    '/api/v1/users/:user_id': { GET: getUser },
    '/api/v1/items/': { GET: listItems, POST: createItem },
    '/api/v1/items/popular': { GET: listPopular },
    '/api/v1/items/:item_id': { GET: viewItem },
    '/api/v1/external/': { GET: fetchExternal },
    '/api/v1/login/access-token': { POST: signIn },
  },
  fetch: (request) => notFound(request, 'Not Found'),
});
console.log(JSON.stringify({ message: 'Listening.', url: server.url.origin }));
