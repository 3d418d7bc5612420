import { expect, test } from 'bun:test';
import { createClient, subscribe } from '../../../src/client.ts';
import { tempDir } from '../../support.ts';
import { ADMIN, freePort, serve } from '../hutch.ts';

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a subscription survives restarts by %s without losing or repeating an event',
  async (signal) => {
    const dir = tempDir();
    const args = ['--port', String(freePort())];
    const start = () => serve(dir, { args, env: { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' } });
    let server = await start();
    const client = createClient(server.url);
    const received: number[] = [];
    const restarts = 3;
    const [perRun, abort] = [40, new AbortController()];
    const reading = (async () => {
      const options = { signal: abort.signal, lastEventId: 0, minDelayMs: 5, maxDelayMs: 50 };
      for await (const { event, data } of subscribe(client.v2.items.events, options)) {
        if (event === 'created') received.push(data.item_id);
        if (received.length === perRun * (restarts + 1)) return;
      }
    })();
    const created: number[] = [];
    for (let run = 0; run <= restarts; run++) {
      const token = await server.signIn(ADMIN.username, ADMIN.password);
      const { items } = server.clientFor(token).v2;
      const posts = Array.from({ length: perRun }, (_, n) => items.post({ title: `${run}.${n}` }));
      for (const { data } of await Promise.all(posts)) if (data) created.push(data.id);
      // While events are being sent.
      if (run < restarts) {
        server.kill(signal);
        await server.exited;
        server = await start();
      }
    }
    await Promise.race([reading, Bun.sleep(20_000)]);
    abort.abort();
    await reading;
    await server.stop();
    expect(created).toHaveLength(perRun * (restarts + 1));
    expect(received).toEqual(created.sort((one, other) => one - other));
  },
  60_000,
);
