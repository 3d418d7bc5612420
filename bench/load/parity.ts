import { type Load, requestsOf } from './loads.ts';
import type { Server } from './process.ts';

/** Throws unless all servers answer a load's first request 200 and with the same fields. */
export async function checkParity(load: Load, servers: Server[]): Promise<void> {
  const answers = await Promise.all(servers.map((server) => ask(load, server)));
  const [first, ...others] = answers;
  const differs = others.some((answer) => answer !== first);
  if (differs) throw new Error(`${load.name} is answered differently:\n${answers.join('\n')}`);
}

async function ask(load: Load, server: Server): Promise<string> {
  const [{ method, path, token, mediaType, body } = { method: 'GET', path: '/' }] = requestsOf(
    load,
    1,
  );
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(mediaType && { 'content-type': mediaType }),
    },
    ...(body && { body }),
  });
  const text = await response.text();
  if (response.status !== 200 || !response.headers.has('x-request-id')) {
    throw new Error(`${server.name}, ${load.name}: status ${response.status}, ${text}`);
  }
  return JSON.stringify(fieldsOf(JSON.parse(text)));
}

/** The names and kinds in a value; ids, times and tokens differ rightly. */
function fieldsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fieldsOf);
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, fieldsOf(part)]));
}
