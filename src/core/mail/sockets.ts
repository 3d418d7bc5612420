import { connect, type Socket } from 'node:net';
import { withLimit } from '../../utils/async/abort.ts';
import type { Lookup } from '../outbound/lookup.ts';

interface Target {
  host?: string | undefined;
  port?: number | string | undefined;
  secure?: boolean | undefined;
}

export interface MailSocketsOptions {
  /** For a connection to stand, from the lookup of the name on. */
  timeoutMs: number;
  lookup: Lookup;
}

type Connected = (error: Error | null, options?: { connection: Socket }) => void;

/** A name can have many addresses; the time is for the first ones. */
const MAX_ADDRESSES = 4;

/**
 * Opens the connections of an SMTP pool and keeps hold of them: the pool itself leaves those that
 * are in use open, and a server that stops would wait for one that does not answer. Names are
 * looked up by `lookup`, because `connect` would do so on the thread pool.
 */
export function createMailSockets({ timeoutMs, lookup }: MailSocketsOptions) {
  const open = new Set<Socket>();
  const onTimeout = () => new Error(`No connection to the mail server in ${timeoutMs} ms`);
  const reach = ({ host = 'localhost', port, secure }: Target): Promise<Socket> =>
    withLimit({ timeoutMs, onTimeout }, async (signal) => {
      const answers = await lookup(host, { owner: 'mail', signal });
      const addresses = answers.slice(0, MAX_ADDRESSES).map(({ address }) => address);
      return dialInTurn(addresses, Number(port) || (secure ? 465 : 587), signal, open);
    });
  return {
    getSocket: (target: Target, connected: Connected): void => {
      reach(target).then((connection) => connected(null, { connection }), connected);
    },

    /** Cuts every connection, whatever is being sent over it. */
    destroy: (): void => {
      for (const socket of open) socket.destroy();
    },
  };
}

/** A connection to the first address that accepts one. Throws the error of the last. */
async function dialInTurn(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
  open: Set<Socket>,
): Promise<Socket> {
  let failure: unknown = new Error('The mail server has no address');
  for (const host of addresses) {
    signal.throwIfAborted();
    try {
      return await dial(host, port, signal, open);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function dial(host: string, port: number, signal: AbortSignal, open: Set<Socket>): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port });
  const cut = () => socket.destroy(signal.reason);
  open.add(socket);
  signal.addEventListener('abort', cut, { once: true });
  socket.once('error', reject);
  socket.once('close', () => {
    open.delete(socket);
    reject(new Error('The connection to the mail server was closed'));
  });
  socket.once('connect', () => {
    signal.removeEventListener('abort', cut);
    socket.off('error', reject);
    resolve(socket);
  });
  return promise;
}
