import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { SOURCE_DEFAULTS } from '../../../src/services/sources/definition.ts';
import { tempDir, testApp } from '../../support.ts';
import { type RunningHutch, serve } from '../hutch.ts';
import { ROWS, type Row } from './rows.ts';

interface Operation {
  operationId: string;
  method: string;
  path: string;
  requestBody?: { content: Record<string, unknown> };
}

/** Eight kinds of callers: only the last one and ada herself may get private data. */
const IDENTITIES = [
  'none',
  'malformed',
  'expired',
  'revoked',
  'other',
  'deactivated',
  'scopeless',
  'admin',
] as const;
type Identity = (typeof IDENTITIES)[number];

/** A source whose address must not be called. */
const SOURCE = JSON.stringify({
  ...SOURCE_DEFAULTS,
  base_url: 'http://localhost',
});

const operations = await readOperations();
const dataDir = tempDir();
let server: RunningHutch;
let db: Database;
let passwordHash: string;

beforeAll(async () => {
  server = await serve(dataDir, { env: { HUTCH_RATE_LIMIT: 'off' } });
  db = new Database(join(dataDir, 'hutch.db'));
  db.run('pragma busy_timeout = 5000');
  db.run('pragma foreign_keys = on');
  passwordHash = await Bun.password.hash('password123', { algorithm: 'bcrypt', cost: 4 });
});

afterAll(async () => {
  db.close();
  await server[Symbol.asyncDispose]();
});

// proves: 8.2.1
test('every operation has a row, and every row has an operation', () => {
  const names = operations.map(({ operationId }) => operationId);
  expect(Object.keys(ROWS).toSorted()).toEqual(names.toSorted());
});

describe.each(operations.map((it) => [it.operationId, it] as const))('%s', (name, operation) => {
  // proves: permissions.each-route-declares-who-may-call-it-and, permissions.item-public
  // proves: permissions.webhook-its-log-and-replays, permissions.statistics, 7.2.1, 8.2.1, 8.3.1, 9.2.2, 10.3.1
  test.each(IDENTITIES)('called by %s', async (identity) => {
    fillDatabase();
    const row = ROWS[name]?.() as Row;
    const response = await send(operation, row, tokenOf(identity));
    expect(`${identity} ${response.status}`).toBe(`${identity} ${expected(row, identity)}`);
    // An event stream never ends.
    if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel();
    else expect(await response.text()).not.toContain('$2b$');
  });
});

function expected({ access, other, admin, anonymous }: Row, identity: Identity): number {
  if (identity === 'admin') return admin;
  if (access === 'public' || identity === 'other') return other;
  if (access === 'optional' && identity === 'none') return anonymous ?? other;
  return identity === 'scopeless' ? 403 : 401;
}

/** Creates the same accounts for each call: ada owns the requested item 1 and session 1. */
function fillDatabase(): void {
  const now = new Date().toISOString();
  const old = '2020-01-01T00:00:00.000Z';
  const tables = ['users', 'sessions', 'items', 'access_tokens', 'sources', 'jobs', 'webhooks'];
  for (const table of tables) db.run(`delete from ${table}`);
  for (const [index, name] of ['ada', 'bob', 'carl', 'root'].entries()) {
    const values = [index + 1, `${name}@example.com`, `${name}@example.com`, name, name];
    const [isActive, role] = [name === 'carl' ? 0 : 1, name === 'root' ? 'admin' : 'user'];
    db.run(
      `insert into users (id,email,email_key,username,username_key,password_hash,is_active,role,created_at,updated_at)
       values (?,?,?,?,?,?,?,?,?,?)`,
      [...values, passwordHash, isActive, role, now, now],
    );
    addSession(index + 1, index + 1, name, now);
  }
  addSession(5, 1, 'expired', old);
  db.run(
    `insert into items (id,owner_id,title,description,created_at,updated_at) values (1,1,'a','',?,?)`,
    [now, now],
  );
  db.run(
    `insert into jobs (id,name,state,payload,attempts,due_at,created_at)
     values (1,'nothing','dead','null',10,?,?)`,
    [now, now],
  );
  db.run('insert into sources values (1,?,1,?,null,?,1,?,?)', ['up', 'scope', SOURCE, now, now]);
  db.run(
    `insert into webhooks (id,url,description,events,secrets,is_active,created_at,updated_at)
     values (1,'https://hooks.example.com/','','["*"]','[]',0,?,?)`,
    [now, now],
  );
  db.run(
    `insert into webhook_deliveries (id,webhook_id,event_id,event_type,event_at,state,created_at)
     values (1,1,'evt_1','webhook.test',?,'succeeded',?)`,
    [now, now],
  );
  db.run(
    `insert into access_tokens values (1,1,'x',?,'hut_scopeles','nothing',?,'2099-01-01T00:00:00.000Z',null)`,
    [sha256('hut_scopeless'), now],
  );
}

function addSession(id: number, user: number, token: string, at: string): void {
  db.run(
    `insert into sessions (id,user_id,token_hash,created_at,last_used_at,expires_at)
     values (?,?,?,?,?,'2099-01-01T00:00:00.000Z')`,
    [id, user, sha256(token), at, at],
  );
}

function sha256(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex');
}

function tokenOf(identity: Identity): string | undefined {
  const tokens: Record<Identity, string | undefined> = {
    none: undefined,
    malformed: 'Basic %%%',
    expired: 'Bearer expired',
    revoked: 'Bearer never-or-no-more',
    other: 'Bearer bob',
    deactivated: 'Bearer carl',
    scopeless: 'Bearer hut_scopeless',
    admin: 'Bearer root',
  };
  return tokens[identity];
}

function send(operation: Operation, row: Row, authorization: string | undefined) {
  const { method, requestBody } = operation;
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => String(row.params?.[name]));
  const [type] = Object.keys(requestBody?.content ?? {});
  const headers: Record<string, string> = {
    ...(type && { 'content-type': type }),
    ...(authorization && { authorization }),
  };
  const isForm = type?.includes('form');
  const text = isForm
    ? new URLSearchParams(row.body as Record<string, string>).toString()
    : JSON.stringify(row.body);
  const body = type ? { body: text } : {};
  return fetch(`${server.url}${path}?${row.query ?? ''}`, { method, headers, ...body });
}

async function readOperations(): Promise<Operation[]> {
  await using t = await testApp();
  const document = (await (await t.request('GET', '/openapi.json')).json()) as {
    paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({ ...it, path, method: method.toUpperCase() })),
  );
}
