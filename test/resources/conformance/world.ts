import { expect } from 'bun:test';
import type { AnyActor } from '../../../src/core/actor.ts';
import type { Definition, Resource } from '../../../src/resources/declare/definition.ts';
import * as builtIn from '../../../src/resources/index.ts';
import { seededRandom } from '../../campaigns/campaign.ts';
import { leaks } from '../../leaks.ts';
import { NOBODY, type TestApp, testApp } from '../../support.ts';
import type { Document } from './model.ts';
import { type Fields, newRow, type Random } from './samples.ts';

/** A caller: an account with a session or a token, or nobody. */
export interface Identity {
  name: string;
  actor: AnyActor;
  token?: string;
  /** What the token may do; undefined for a session, which may do all that its account may. */
  scopes?: readonly string[];
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** An app with the resource and those that it references, and every kind of caller. */
export async function openWorld(resource: Resource, seed = 1) {
  const { definition } = resource;
  const t = await testApp({ resources: Object.fromEntries(linked(resource)) });
  const random = seededRandom(seed);
  const owner = await t.signUp('owner');
  const other = await t.signUp('other');
  const admin = await t.signUp('admin', 'admin');
  const session = (name: string, it: typeof owner): Identity => ({
    name,
    actor: it,
    token: it.token,
  });
  const tokenOf = async (name: string, ...scopes: string[]): Promise<Identity> => {
    const token = await accessToken(t, creator.token, scopes);
    return { name, actor: creator, token, scopes };
  };
  /** The account that may create rows. */
  const creator = definition.write === 'admin' || definition.read === 'admin' ? admin : owner;
  const identities: Identity[] = [
    { name: 'nobody', actor: NOBODY },
    session('the owner', creator),
    session('another account', creator === owner ? other : owner),
    session('an admin', creator === owner ? admin : await t.signUp('admin2', 'admin')),
    await tokenOf('a token that may read', `${definition.name}:read`),
    await tokenOf('a token that may write', `${definition.name}:read`, `${definition.name}:write`),
    await tokenOf('a token without the scope', 'users:read'),
  ];
  const send = (method: string, path: string, who: Identity, options: SendOptions = {}) =>
    request(t, method, `/api/v2/${definition.name}${path}`, who, options);
  const rowCreator = identities[1] as Identity;
  const references = new Map<number | null, Record<string, number[]>>();
  for (const who of identities.filter(({ token, scopes }) => token && !scopes)) {
    references.set(who.actor.id, await referencesOf(t, definition, random, who));
  }
  /** The fields of a new row; it references only rows that the caller may read. */
  const fields = ({ actor }: Identity = rowCreator) => {
    const ids = references.get(actor.id) ?? references.get(rowCreator.actor.id) ?? {};
    return newRow(random, definition, ids);
  };
  return {
    t,
    definition,
    random,
    identities,
    creator: rowCreator,
    send,
    fields,
    /** Creates a row with random fields, and those given. */
    create: async (given: Fields = {}, who = rowCreator): Promise<Document> => {
      const { status, body } = await send('POST', '', who, { body: { ...fields(who), ...given } });
      expect([status, body['errors']]).toEqual([201, undefined]);
      return body as Document;
    },
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

export interface SendOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

async function request(
  t: TestApp,
  method: string,
  path: string,
  { token }: Identity,
  { body, headers = {} }: SendOptions,
): Promise<Answer> {
  const type: Record<string, string> =
    body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await t.request(method, path, {
    headers: { ...type, ...headers },
    ...(token && { token }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /\bjson\b/.test(answer.headers.get('content-type') ?? '') && text !== '';
  return {
    status: answer.status,
    headers: answer.headers,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}

async function accessToken(t: TestApp, session: string, scopes: string[]): Promise<string> {
  const body = { name: 'a token', scopes, password: 'password123' };
  const answer = await t.json('POST', '/api/v2/tokens', body, session);
  const { token } = (await answer.json()) as { token: string };
  expect(token).toStartWith('hut_');
  leaks.learn(token);
  return token;
}

/** The resource and all that it references, by name, without those that every app has. */
function linked(resource: Resource, found = new Map<string, Resource>()): Map<string, Resource> {
  if (found.has(resource.name) || Object.hasOwn(builtIn, resource.name)) return found;
  found.set(resource.name, resource);
  for (const { ref } of resource.definition.fields) {
    if (!ref) continue;
    const definition = ref.to();
    linked({ ...resource, name: definition.name, definition }, found);
  }
  return found;
}

/** Creates some rows of each resource that fields reference, and returns their ids by field. */
async function referencesOf(
  t: TestApp,
  { fields }: Definition,
  random: Random,
  who: Identity,
): Promise<Record<string, number[]>> {
  const ids: Record<string, number[]> = {};
  for (const { name, ref } of fields) {
    if (!ref) continue;
    const target = ref.to();
    const inner = await referencesOf(t, target, random, who);
    ids[name] = [];
    for (let count = 0; count < 3; count++) {
      const body = newRow(random, target, inner);
      const answer = await request(t, 'POST', `/api/v2/${target.name}`, who, { body });
      ids[name].push(answer.body['id'] as number);
    }
  }
  return ids;
}
