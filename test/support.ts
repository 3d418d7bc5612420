import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { createClient } from '../src/client.ts';
import { type AnyActor, actorFor, SYSTEM } from '../src/core/actor.ts';
import { type Config, loadConfig } from '../src/core/config/config.ts';
import { databasePath } from '../src/core/db/data-dir.ts';
import { upgradeDb } from '../src/core/db/db.ts';
import { createDeps } from '../src/core/deps.ts';
import { createLog, type LogLevel } from '../src/core/log.ts';
import { createPasswordHasher } from '../src/core/security/security.ts';
import type { Role, User } from '../src/models/index.ts';
import type { Resource } from '../src/resources/declare/definition.ts';
import type { SessionOptions } from '../src/services/auth/auth.ts';
import { schemaOf } from '../src/services/resources/schema.ts';
import { expectDeclaredCode } from './declared-codes.ts';
import { type LeaksOf, leaks, textSent, watched } from './leaks.ts';

export const PASSWORD = 'password123';
/** An admin, for services that take an actor. */
export const ADMIN = actorFor({ id: 1, role: 'admin' });
/** A request without credentials. */
export const NOBODY: AnyActor = { ...SYSTEM, role: 'anonymous' };
/** The same, from an address. */
export const nobodyAt = (address: string): AnyActor => ({
  ...NOBODY,
  origin: { ...NOBODY.origin, address },
});
leaks.learn(PASSWORD);

/** A directory of its own for one test. */
export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), 'hutch-test-'));
}

export interface TestAppOptions {
  config?: Partial<Config>;
  now?: () => Date;
  logLevel?: LogLevel;
  /** Resources besides those of src/resources; their tables are created. */
  resources?: Readonly<Record<string, Resource>>;
  /** Default: the secrets of the whole suite. */
  leaksOf?: LeaksOf;
}

export type TestApp = Awaited<ReturnType<typeof testApp>>;

/** The whole application on a fresh database: `await using t = await testApp()`. */
export async function testApp(options: TestAppOptions = {}) {
  const { config, now, resources = {}, logLevel = 'error', leaksOf = () => leaks } = options;
  const dataDir = tempDir();
  const logLines: string[] = [];
  const log = createLog({
    level: logLevel,
    format: 'json',
    write: (line) => void logLines.push(line),
    now: () => new Date(),
  });
  // Tests send requests without yielding to the event loop, which is not overload.
  const settings: Config = {
    ...loadConfig({}, {}),
    admissionControl: 'off',
    ...config,
    dataDir,
  };
  // A real hash, made cheap: 8 KiB where the product takes 19 MiB.
  const passwords = createPasswordHasher({ concurrency: 2, memoryKib: 8 });
  const schemas = Object.values(resources).map(({ definition }) => schemaOf(definition));
  if (schemas.length > 0) {
    upgradeDb(databasePath(dataDir), { resources: schemas, migrations: [] });
  }
  const deps = createDeps(settings, { log, passwords, resources, ...(now && { now }) });
  const app = createApp(deps);
  let origin = '';
  app.onStart(({ server }) => {
    origin = server?.url.origin ?? '';
    watched.set(origin, leaksOf);
  });
  const send = async (request: Request, sent: string) => {
    const own = leaksOf();
    own.request(request.headers, sent);
    const answer = await app.handle(request);
    // A stream of events has no end to wait for.
    if (answer.headers.get('content-type') === 'text/event-stream') return answer;
    const text = await answer.clone().text();
    own.answer(answer.headers, text, `${request.method} ${request.url}`);
    if (answer.headers.get('content-type') === 'application/problem+json' && text !== '') {
      expectDeclaredCode(app, request, answer.status, text);
    }
    return answer;
  };
  const clientFor = (token?: string) =>
    createClient('http://localhost', {
      // A test sees each refusal.
      retries: 0,
      fetch: async (request) => send(request, await request.clone().text()),
      ...(token && { token }),
    });

  const request = (method: string, path: string, init: RequestInit & { token?: string } = {}) => {
    const { token, ...rest } = init;
    const headers = new Headers(rest.headers);
    if (token) headers.set('authorization', `Bearer ${token}`);
    const asked = new Request(`http://localhost${path}`, { ...rest, method, headers });
    return send(asked, textSent(rest.body));
  };
  /** Sends `body` as JSON. */
  const json = (method: string, path: string, body: unknown, token?: string) =>
    request(method, path, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      ...(token && { token }),
    });
  /** Makes an account and signs it in, an admin with a second factor. */
  const signUp = async (username: string, role: Role = 'user') => {
    const email = `${username}@example.com`;
    const user = await deps.users.create({ email, username, password: PASSWORD }, { role });
    const token = await openSession(deps, user, { secondFactor: role === 'admin' });
    leaks.learn(token);
    return { ...user, ...actorFor(user), token, client: clientFor(token) };
  };
  return {
    app,
    deps,
    logLines,
    client: clientFor(),
    clientFor,
    request,
    json,
    signUp,
    [Symbol.asyncDispose]: async () => {
      await deps.close();
      watched.delete(origin);
      rmSync(dataDir, { recursive: true });
      leaks.log(logLines.join(''), 'the log');
    },
  };
}

/** `count` calls at the same time, each settled. */
export function atOnce<T>(count: number, call: (index: number) => Promise<T>) {
  return Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)));
}

/** Opens a session for an account, even if its address is not confirmed, and returns its token. */
export async function openSession(
  { auth }: TestApp['deps'],
  user: User,
  options: SessionOptions = {},
): Promise<string> {
  const confirmed = { ...user, email_verified_at: user.email_verified_at ?? user.created_at };
  return (await auth.open(SYSTEM, confirmed, options)).token;
}
