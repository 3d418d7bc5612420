import { createLeaks } from '../leaks.ts';
import { ADMIN, isBinary, serve } from '../process/hutch.ts';
import { openSession, tempDir, testApp } from '../support.ts';

export type Role = 'admin' | 'user' | 'anonymous';
/** Signing in to the binary computes real hashes; schemathesis.ts tests it in each role. */
export const ROLES: readonly Role[] = isBinary ? ['admin'] : ['admin', 'user', 'anonymous'];

export interface Init {
  body?: string;
  headers?: Record<string, string>;
}

/** A separate Hutch: the application or the compiled binary. */
interface Hutch {
  call(method: string, path: string, init: Init): Promise<Response>;
  /** Returns the token of a new session. */
  signIn(role: 'admin' | 'user'): Promise<string>;
  close(): Promise<void>;
}

export type Target = Awaited<ReturnType<typeof fuzzTarget>>;

/** The tests call no external host. */
const SOURCE = { name: 'weather', base_url: 'https://api.example.com', access: 'public' };

/**
 * Starts a Hutch with accounts, items and a source, and without a rate limit. Requests are sent as
 * `role`, with a new sign-in after an operation has ended the session.
 */
export async function fuzzTarget(role: Role) {
  const hutch = await (isBinary ? startBinary() : startApp());
  const signIn = () => (role === 'anonymous' ? undefined : hutch.signIn(role));
  const sendAs = (token: string | undefined, method: string, path: string, init: Init) => {
    const authorization = token && { authorization: `Bearer ${token}` };
    return hutch.call(method, path, { ...init, headers: { ...authorization, ...init.headers } });
  };
  const admin = await hutch.signIn('admin');
  let token = role === 'admin' ? admin : await signIn();
  await expectOk(sendAs(admin, 'POST', '/api/v2/sources', jsonOf(SOURCE)));
  await addItems((...request) => sendAs(token ?? admin, ...request));
  return {
    send: async (method: string, path: string, init: Init): Promise<Response> => {
      const response = await sendAs(token, method, path, init);
      if (!token || !(await isSessionOver(response))) return response;
      token = await signIn();
      return sendAs(token, method, path, init);
    },
    [Symbol.asyncDispose]: hutch.close,
  };
}

async function startApp(): Promise<Hutch> {
  const app = await testApp({ leaksOf: createLeaks, config: { rateLimit: 'off' } });
  const accounts = { admin: await app.signUp('root', 'admin'), user: await app.signUp('ada') };
  return {
    call: app.request,
    signIn: (role) => openSession(app.deps, accounts[role], { secondFactor: role === 'admin' }),
    close: () => app[Symbol.asyncDispose](),
  };
}

async function startBinary(): Promise<Hutch> {
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  const server = await serve(tempDir(), { env, leaksOf: createLeaks });
  const ada = { email: 'ada@example.com', username: 'ada', password: 'straw-and-carrots-1' };
  const call = (method: string, path: string, init: Init) =>
    fetch(`${server.url}${path}`, { ...init, method, redirect: 'manual' });
  await expectOk(call('POST', '/api/v2/auth/register', jsonOf(ada)));
  const accounts = { admin: ADMIN, user: ada };
  return {
    call,
    signIn: (role) => server.signIn(accounts[role].username, accounts[role].password),
    close: () => server[Symbol.asyncDispose](),
  };
}

/** Creates item 1, which is changed, item 2, and item 3, which is in the bin. */
async function addItems(send: Hutch['call']): Promise<void> {
  const item = { title: 'A warm hutch', tags: ['wood'], data: { rabbits: 2 } };
  for (const visibility of ['public', 'private', 'public']) {
    await expectOk(send('POST', '/api/v2/items', jsonOf({ ...item, visibility })));
  }
  await expectOk(send('PATCH', '/api/v2/items/1', jsonOf({ title: 'A warmer hutch' })));
  await expectOk(send('DELETE', '/api/v2/items/3', {}));
}

function jsonOf(body: object): Init {
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

async function expectOk(sent: Promise<Response>): Promise<void> {
  const response = await sent;
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

async function isSessionOver(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const { code } = (await response.clone().json()) as { code?: string };
  return code === 'unauthenticated';
}
