import { connect, type Socket } from 'node:net';
import { withLimit } from '../../utils/async/abort.ts';
import type { Lookup } from '../outbound/lookup.ts';

interface Target {
  host?: string | undefined;
  port?: number | string | undefined;
  secure?: boolean | undefined;
}

export interface MailSocketsOptions {
  /** Covers the lookup and the connection. */
  timeoutMs: number;
  lookup: Lookup;
}

type OnConnected = (error: Error | null, options?: { connection: Socket }) => void;

/** A name can have many addresses; the timeout allows for a few. */
const MAX_ADDRESSES = 4;

export type MailSockets = ReturnType<typeof createMailSockets>;

/**
 * Opens and tracks the connections of an SMTP pool: closing the pool leaves connections in use open,
 * so shutdown would wait for a server that does not respond. Names are resolved by `lookup`, because
 * `connect` would occupy the thread pool.
 */
export function createMailSockets({ timeoutMs, lookup }: MailSocketsOptions) {
  const sockets = new Set<Socket>();
  const onTimeout = () => new Error(`No connection to the mail server in ${timeoutMs} ms`);
  const open = ({ host = 'localhost', port, secure }: Target): Promise<Socket> =>
    withLimit({ timeoutMs, onTimeout }, async (signal) => {
      const answers = await lookup(host, { owner: 'mail', signal });
      const addresses = answers.slice(0, MAX_ADDRESSES).map(({ address }) => address);
      return connectToFirst(addresses, Number(port) || (secure ? 465 : 587), signal, sockets);
    });
  return {
    getSocket: (target: Target, onConnected: OnConnected): void => {
      open(target).then((connection) => onConnected(null, { connection }), onConnected);
    },

    /** Destroys every connection, even in the middle of a mail. */
    destroy: (): void => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Connects to the first address that accepts. Throws the error of the last address. */
async function connectToFirst(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
  sockets: Set<Socket>,
): Promise<Socket> {
  let failure: unknown = new Error('The mail server has no address');
  for (const host of addresses) {
    signal.throwIfAborted();
    try {
      return await connectTo({ host, port }, signal, sockets);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function connectTo(
  address: { host: string; port: number },
  signal: AbortSignal,
  sockets: Set<Socket>,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(address);
  const onAbort = () => socket.destroy(signal.reason);
  sockets.add(socket);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('error', reject);
  socket.once('close', () => {
    sockets.delete(socket);
    reject(new Error('The connection to the mail server was closed'));
  });
  socket.once('connect', () => {
    signal.removeEventListener('abort', onAbort);
    socket.off('error', reject);
    resolve(socket);
  });
  return promise;
}
