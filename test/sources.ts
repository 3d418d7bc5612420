import type { Config } from '../src/core/config/config.ts';
import { leaks } from './leaks.ts';
import { testApp } from './support.ts';

/** A source's secret in the tests: only the upstream may see it. */
export const SECRET = 'hay-rack-9f31c07b';
leaks.learn(SECRET);

/** An outside API on loopback that records its requests. */
export function upstream(answer: (request: Request) => Response | Promise<Response>) {
  const asked: { method: string; url: string; headers: Headers; body: string }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const { method, url, headers } = request;
      asked.push({ method, url: new URL(url).href, headers, body: await request.text() });
      return answer(request);
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return { host, url: `http://${host}`, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** The application with an admin and a user, and the outside hosts that it may call. */
export async function sourcesApp(hosts: string[], config: Partial<Config> = {}, now?: () => Date) {
  const { logLevel = 'error' } = config;
  const own = { externalAllowHosts: hosts, ...config };
  const t = await testApp({ config: own, logLevel, ...(now && { now }) });
  const root = await t.signUp('root', 'admin');
  const ada = await t.signUp('ada');
  /** Defines a source and fails the test if it cannot. */
  const define = async (source: object) => {
    const answer = await t.json('POST', '/api/v2/sources', { name: 'up', ...source }, root.token);
    if (answer.status !== 201) throw new Error(await answer.text());
    return (await answer.json()) as Record<string, unknown>;
  };
  const call = (path: string, token?: string, headers: Record<string, string> = {}) =>
    t.request('GET', `/api/v2/sources/${path}`, { headers, ...(token && { token }) });
  return { ...t, root, ada, define, call };
}
