import { afterEach } from 'bun:test';
import { createServer, type Socket } from 'node:net';
import type { Outbound, OutboundOptions } from '../../../src/core/outbound/client.ts';
import { createOutbound } from '../../../src/core/outbound/client.ts';
import { OutboundError, type OutboundErrorCode } from '../../../src/core/outbound/errors.ts';

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
