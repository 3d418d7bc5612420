import { connect, type Socket } from 'node:net';

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
