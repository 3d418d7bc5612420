import { afterEach } from 'bun:test';
import { connect, createServer, type Socket } from 'node:net';
import type { Outbound, OutboundOptions } from '../../../src/core/outbound/client.ts';
import { createOutbound } from '../../../src/core/outbound/client.ts';
import { OutboundError, type OutboundErrorCode } from '../../../src/core/outbound/errors.ts';
import type { OutboundCaching, OutboundRequest } from '../../../src/core/outbound/request.ts';

/** Status line and type of a JSON answer; the framing and the blank line are the test's. */
export const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  connections: number;
  closed: number;
  /** Ends it before the test does: nobody listens there then. */
  stop(): Promise<void>;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/**
 * A TCP server that answers each first packet of a connection as told, on 127.0.0.1; on
 * 0.0.0.0 it is at all of 127.0.0.0/8.
 */
export async function rawUpstream(
  answer: (socket: Socket) => void,
  hostname = '127.0.0.1',
): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    upstream.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      upstream.closed += 1;
    });
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(stop);
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const upstream = { ...place(port), connections: 0, closed: 0, stop };
  return upstream;
}

/** An HTTP server on loopback. */
export function httpUpstream(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer });
  cleanups.push(() => server.stop(true));
  return place(server.port ?? 0);
}

/** A client that may call loopback, never waits between tries and gives up soon. */
export function outboundFor(options: Partial<OutboundOptions> = {}): Outbound {
  const outbound = createOutbound({
    version: '1.2.3',
    allowHosts: ['127.0.0.1'],
    deadlineMs: 2_000,
    attemptMs: 1_000,
    retries: 0,
    random: () => 0,
    sleep: async () => {},
    ...options,
  });
  cleanups.push(() => outbound.close());
  return outbound;
}

/** The error of a call that must fail; fails the test if it does not, or in another way. */
export async function failureOf(call: Promise<unknown>): Promise<OutboundError> {
  const outcome = await call.then(
    (data) => new Error(`answered ${JSON.stringify(data)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof OutboundError) return outcome;
  throw outcome;
}

/** The code of a call that must fail. */
export async function codeOf(call: Promise<unknown>): Promise<OutboundErrorCode> {
  return (await failureOf(call)).code;
}

function place(port: number) {
  return { port, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/` };
}

/** A source that counts its requests and answers each with their number, unless told otherwise. */
export function cachedSource(
  headers: Record<string, string> = {},
  options: Partial<OutboundOptions> = {},
) {
  const clock = { ms: Date.now() };
  const source = {
    /** The headers of each. */
    requests: [] as Headers[],
    answer: (_request: Request): Response | Promise<Response> =>
      Response.json(source.requests.length, { headers }),
  };
  const { url } = httpUpstream((request) => {
    // Copied now: Bun lets go of a request when it is answered.
    source.requests.push(new Headers(request.headers));
    return source.answer(request);
  });
  const outbound = outboundFor({ now: () => clock.ms, ...options });
  const call = (cache: OutboundCaching = {}, request: Partial<OutboundRequest> = {}) =>
    outbound.call({ url, cache, ...request });
  /** What two calls learn, the second so many seconds after the first. */
  const states = async (cache: OutboundCaching, seconds: number, request = {}) => {
    const first = await call(cache, request);
    clock.ms += seconds * 1_000;
    const second = await call(cache, request);
    return `${first.cache} ${second.cache}`;
  };
  return { source, clock, url, outbound, call, states };
}

/** A process that listens and then never accepts; what it prints is its port. */
const LISTEN = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: process.argv.at(-1) }, () => {
    console.log(server.address().port);
    Bun.sleepSync(60_000);
  });`;
/** Bun lets 513 connections wait to be accepted. */
const MOST_WAITING = 600;

/** A host that answers no further connection: as many wait to be accepted as may. */
export async function deafHost(address: '127.0.0.1' | '::1') {
  const child = Bun.spawn([process.execPath, '-e', LISTEN, address], { stdout: 'pipe' });
  const port = Number(new TextDecoder().decode((await child.stdout.getReader().read()).value));
  const sockets = Array.from({ length: MOST_WAITING }, () =>
    connect(port, address).on('error', () => {}),
  );
  const end = async () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await child.exited;
  };
  try {
    await full(sockets);
  } catch (error) {
    await end();
    throw error;
  }
  const name = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return { name, url: `http://${name}/`, [Symbol.asyncDispose]: end };
}

/** Waits until no more of them get a connection. */
async function full(sockets: Socket[]): Promise<void> {
  let [open, before] = [0, -1];
  while (open === 0 || open !== before) {
    await Bun.sleep(100);
    [before, open] = [open, sockets.filter((it) => !it.connecting).length];
  }
  if (open === sockets.length) throw new Error(`All of ${open} connections were accepted`);
  for (const socket of sockets) if (socket.connecting) socket.destroy();
}
