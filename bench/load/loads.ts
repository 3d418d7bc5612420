import { ITEM_COUNT, PASSWORD, tokenOf, USER_COUNT } from '../seed.ts';
import { createRandom, type HttpRequest } from './requests.ts';

/** The aim: `cpu` = CPU of bare ÷ Hutch, `rate` = requests/s of Hutch ÷ bare. */
export interface Aim {
  of: 'cpu' | 'rate';
  least: number;
}

export interface Load {
  name: string;
  label: string;
  connections: number;
  aim?: Aim;
  request(random: () => number, index: number): HttpRequest;
}

const pick = (random: () => number, count: number) => 1 + Math.floor(random() * count);
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Reads first: the writes that follow change the rows that reads would find. */
export function createLoads(upstreams: string[]): Load[] {
  return [...readLoads(), ...outsideLoads(upstreams), ...writeLoads()];
}

/** The requests of a load: the same for every server and in every run. */
export function requestsOf(load: Load, count = 10_000): HttpRequest[] {
  const random = createRandom(7);
  return Array.from({ length: count }, (_, index) => load.request(random, index));
}

/** One outside call and eight of them, for their latencies. */
export function externalRequest(upstreams: string[], count: number): HttpRequest {
  const query = upstreams.slice(0, count).map((url) => `url=${encodeURIComponent(`${url}/data`)}`);
  return { method: 'GET', path: `/api/v1/external/?${query.join('&')}`, token: tokenOf(1) };
}

function readLoads(): Load[] {
  return [
    {
      name: 'user',
      label: 'user by id',
      connections: 32,
      aim: { of: 'cpu', least: 0.75 },
      request: (random) => {
        const id = pick(random, USER_COUNT);
        return { method: 'GET', path: `/api/v1/users/${id}`, token: tokenOf(id) };
      },
    },
    {
      name: 'popular',
      label: 'popular items, cached',
      connections: 32,
      aim: { of: 'cpu', least: 0.8 },
      request: () => ({ method: 'GET', path: '/api/v1/items/popular' }),
    },
    {
      name: 'list',
      label: 'list of 100 items',
      connections: 32,
      aim: { of: 'cpu', least: 0.9 },
      request: (random) => {
        const skip = pick(random, 1001) - 1;
        return { method: 'GET', path: `/api/v1/items/?skip=${skip}&limit=100` };
      },
    },
  ];
}

function outsideLoads(upstreams: string[]): Load[] {
  return [
    {
      name: 'external',
      label: '8 outside calls of 20 ms',
      connections: 8,
      // Rotates over all of them, so that no host exceeds its limit of concurrent calls.
      request: (_random, index) => externalRequest(turned(upstreams, 8 * index), 8),
    },
    {
      name: 'callers',
      label: '32 callers of 8 outside calls, 8 hosts',
      connections: 32,
      aim: { of: 'rate', least: 0.5 },
      request: (_random, index) => callsOf(upstreams.slice(0, 8), index),
    },
    {
      name: 'one-host',
      label: '32 callers of 8 outside calls, one host',
      connections: 32,
      request: (_random, index) => {
        const [url = ''] = upstreams;
        return callsOf(
          Array.from({ length: 8 }, (_, call) => `${url}/${call}`),
          index,
        );
      },
    },
    {
      name: 'sign-in',
      label: 'sign-in (argon2id)',
      connections: 4,
      request: (random) => ({
        method: 'POST',
        path: '/api/v1/login/access-token',
        mediaType: FORM_TYPE,
        body: String(
          new URLSearchParams({
            username: `user${pick(random, USER_COUNT)}@example.com`,
            password: PASSWORD,
          }),
        ),
      }),
    },
  ];
}

/** Calls on behalf of the caller whose turn it is; each account has a share of its own. */
function callsOf(urls: string[], index: number): HttpRequest {
  const token = tokenOf(1 + (index % 32));
  return { ...externalRequest(urls, urls.length), token };
}

/** The same list, begun at `start`. */
function turned<T>(list: T[], start: number): T[] {
  const at = start % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function writeLoads(): Load[] {
  return [
    {
      name: 'item',
      label: 'item by id with its view',
      connections: 32,
      aim: { of: 'rate', least: 5 },
      request: (random) => ({ method: 'GET', path: `/api/v1/items/${pick(random, ITEM_COUNT)}` }),
    },
    {
      name: 'create',
      label: 'create an item',
      connections: 32,
      aim: { of: 'rate', least: 5 },
      request: (random, index) => ({
        method: 'POST',
        path: '/api/v1/items/',
        token: tokenOf(pick(random, USER_COUNT)),
        mediaType: JSON_TYPE,
        body: JSON.stringify({
          title: `New item ${index}`,
          description: `What there is to say about new item ${index}.`,
          url: `https://example.com/new/${index}`,
        }),
      }),
    },
  ];
}
