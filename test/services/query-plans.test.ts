import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { testApp } from '../support.ts';

// proves: costly-work.lists-searches-counts, 15.2.2
test('no hot query scans a table or sorts', async () => {
  const statements = new Set<string>();
  const { prepare } = Database.prototype;
  Database.prototype.prepare = function (this: Database, text: string, ...rest: []) {
    statements.add(text);
    return prepare.call(this, text, ...rest);
  } as typeof prepare;
  try {
    await using t = await testApp();
    const root = await t.signUp('root', 'admin');
    const { client } = root;
    await client.api.v1.items.post({ title: 'a' });
    await client.api.v1.items({ item_id: 1 }).get();
    await client.api.v1.items({ item_id: 1 }).put({ title: 'b' });
    await client.api.v1.items.popular.get();
    const revisions = client.api.v2.items({ item_id: 1 }).revisions;
    await revisions.get({ query: { limit: 1 } });
    await revisions.post({ version: 1 });
    const resumed = await t.request('GET', '/api/v2/items/events?last_event_id=0');
    await resumed.body?.getReader().read();
    await client.api.v1.items.get();
    await client.api.v1.users.get();
    await client.api.v1.users({ user_id: root.id }).get();
    await client.api.v2.items.post({ title: 'a' }, { headers: { 'idempotency-key': 'a' } });
    await client.api.v2.items.export.get();
    await client.api.v2.items.export.get({ query: { scope: 'listed' } });
    await t.deps.jobs.runAll();
    await t.deps.jobs.runDue();
    await client.api.v1.items({ item_id: 1 }).delete();
    const source = { name: 'up', base_url: 'https://api.example.com', is_enabled: false };
    await t.json('POST', '/api/v2/sources', source, root.token);
    await client.api.v2.sources({ name: 'up' }).get({ query: {} });
    await t.deps.jobs.runAll();
    t.deps.sourceStats.add(1, { cache: 'miss', elapsedMs: 1 });
    await t.deps.sourceStats.report(root, 'up', 24);
    await t.deps.sourceStats.purge.run();
    const webhook = { url: 'https://hooks.example.com/', events: ['*'] };
    await t.json('POST', '/api/v2/webhooks', webhook, root.token);
    await client.api.v2.items.post({ title: 'a' });
    // The attempt is refused without a connection.
    t.deps.db.client.run(`update webhooks set url = 'https://127.0.0.1/'`);
    await t.deps.webhookWorker.sendDue();
    await t.request('GET', '/api/v2/webhooks/1/deliveries?state=failed', { token: root.token });
    await t.deps.jobs.runAll();
    const queries = [...statements].filter((text) => /^(select|update|delete)/i.test(text));
    expect(queries.length).toBeGreaterThanOrEqual(10);
    for (const query of queries) {
      const plan = t.deps.db.client.query(`explain query plan ${query}`).all() as {
        detail: string;
      }[];
      const text = plan.map(({ detail }) => detail).join('; ');
      expect(`${query} => ${text}`).not.toContain('TEMP B-TREE');
      // A page by offset and the oldest events scan the table from its start.
      // All schedules of jobs are read: there are few.
      const isExempt =
        /(limit \? offset|from "item_events" order by id limit) \?$|from "job_schedules"$/.test(
          query,
        );
      if (!isExempt) expect(`${query} => ${text}`).not.toMatch(/SCAN (?!sqlite_sequence)\w+(;|$)/);
    }
  } finally {
    Database.prototype.prepare = prepare;
  }
});
