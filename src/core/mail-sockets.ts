import { connect, type Socket } from 'node:net';

interface Target {
  host?: string | undefined;
  port?: number | string | undefined;
  secure?: boolean | undefined;
}

type Connected = (error: Error | null, options?: { connection: Socket }) => void;

/**
 * Opens the connections of an SMTP pool and keeps hold of them: the pool itself lets those that
 * are in use be, and a server that stops would wait for one that does not answer.
 */
export function createMailSockets(timeoutMs: number) {
  const open = new Set<Socket>();
  return {
    getSocket: ({ host = 'localhost', port, secure }: Target, connected: Connected): void => {
      const socket = connect({ host, port: Number(port) || (secure ? 465 : 587) });
      open.add(socket);
      const fail = (error: Error) => {
        socket.destroy();
        connected(error);
      };
      const slow = () => fail(new Error(`No connection to the mail server in ${timeoutMs} ms`));
      socket.setTimeout(timeoutMs, slow);
      socket.once('error', fail);
      socket.once('close', () => open.delete(socket));
      socket.once('connect', () => {
        socket.setTimeout(0);
        socket.off('timeout', slow);
        socket.off('error', fail);
        connected(null, { connection: socket });
      });
    },

    /** Cuts every connection, whatever goes on over it. */
    destroy: (): void => {
      for (const socket of open) socket.destroy();
    },
  };
}
