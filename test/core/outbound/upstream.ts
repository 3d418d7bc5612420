import { afterEach } from 'bun:test';
import { connect, createServer, type Socket } from 'node:net';
import type { Outbound, OutboundOptions } from '../../../src/core/outbound/client.ts';
import { createOutbound } from '../../../src/core/outbound/client.ts';
import { OutboundError, type OutboundErrorCode } from '../../../src/core/outbound/errors.ts';
import type { OutboundCaching, OutboundRequest } from '../../../src/core/outbound/request.ts';

/** The status line and type of a JSON response; tests add the framing and the blank line. */
export const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  connections: number;
  closed: number;
  /** Stops the server before the end of the test; connections are refused then. */
  stop(): Promise<void>;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/**
 * Starts a TCP server on 127.0.0.1, which calls `respond` after the first packet of a connection. On
 * 0.0.0.0 it listens at all of 127.0.0.0/8.
 */
export async function rawUpstream(
  respond: (socket: Socket) => void,
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
    socket.once('data', () => respond(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(stop);
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const upstream = { ...addressOf(port), connections: 0, closed: 0, stop };
  return upstream;
}

/** Starts an HTTP server on 127.0.0.1. */
export function httpUpstream(respond: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: respond });
  cleanups.push(() => server.stop(true));
  return addressOf(server.port ?? 0);
}

/** Creates a client that may call 127.0.0.1, retries without delay and has short timeouts. */
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

/** Returns the OutboundError of a call; throws if the call succeeds or fails otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<OutboundError> {
  const outcome = await call.then(
    (data) => new Error(`answered ${JSON.stringify(data)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof OutboundError) return outcome;
  throw outcome;
}

/** Returns the error code of a call; throws if the call succeeds or fails otherwise. */
export async function codeOf(call: Promise<unknown>): Promise<OutboundErrorCode> {
  return (await failureOf(call)).code;
}

function addressOf(port: number) {
  return { port, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/` };
}

/** Starts an HTTP server that records requests and responds with their number, and a caching client. */
export function cachedSource(
  headers: Record<string, string> = {},
  options: Partial<OutboundOptions> = {},
) {
  const clock = { ms: Date.now() };
  const source = {
    /** The headers of each request. */
    requests: [] as Headers[],
    respond: (_request: Request): Response | Promise<Response> =>
      Response.json(source.requests.length, { headers }),
  };
  const { url } = httpUpstream((request) => {
    // Copied, because Bun discards a request after its response.
    source.requests.push(new Headers(request.headers));
    return source.respond(request);
  });
  const outbound = outboundFor({ now: () => clock.ms, ...options });
  const call = (cache: OutboundCaching = {}, request: Partial<OutboundRequest> = {}) =>
    outbound.call({ url, cache, ...request });
  /** Returns the cache states of two calls that are `seconds` apart. */
  const states = async (cache: OutboundCaching, seconds: number, request = {}) => {
    const first = await call(cache, request);
    clock.ms += seconds * 1_000;
    const second = await call(cache, request);
    return `${first.cache} ${second.cache}`;
  };
  return { source, clock, url, outbound, call, states };
}

/** A program that prints the port that it listens on and never accepts a connection. */
const LISTEN = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: process.argv.at(-1) }, () => {
    console.log(server.address().port);
    Bun.sleepSync(60_000);
  });`;
/** Bun's backlog is 513 connections. */
const MAX_PENDING = 600;

/** Starts a host whose backlog is full, so that further connections stay pending. */
export async function saturatedHost(address: '127.0.0.1' | '::1') {
  const child = Bun.spawn([process.execPath, '-e', LISTEN, address], { stdout: 'pipe' });
  const port = Number(new TextDecoder().decode((await child.stdout.getReader().read()).value));
  const sockets = Array.from({ length: MAX_PENDING }, () =>
    connect(port, address).on('error', () => {}),
  );
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await child.exited;
  };
  try {
    await fillBacklog(sockets);
  } catch (error) {
    await stop();
    throw error;
  }
  const name = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return { name, url: `http://${name}/`, [Symbol.asyncDispose]: stop };
}

/** Waits until no further socket gets a connection. */
async function fillBacklog(sockets: Socket[]): Promise<void> {
  let [open, before] = [0, -1];
  while (open === 0 || open !== before) {
    await Bun.sleep(100);
    [before, open] = [open, sockets.filter((it) => !it.connecting).length];
  }
  if (open === sockets.length) throw new Error(`All of ${open} connections were accepted`);
  for (const socket of sockets) if (socket.connecting) socket.destroy();
}
