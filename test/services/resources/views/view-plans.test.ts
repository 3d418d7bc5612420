import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { HOUR_MS } from '../../../../src/utils/time/units.ts';
import { type TestApp, testApp } from '../../../support.ts';

/** The plan of each statement that `act` prepares, by its text. */
async function plansOf(t: TestApp, act: () => Promise<unknown>): Promise<Map<string, string>> {
  const statements = new Set<string>();
  const { prepare } = Database.prototype;
  Database.prototype.prepare = function (this: Database, text: string, ...rest: []) {
    statements.add(text);
    return prepare.call(this, text, ...rest);
  } as typeof prepare;
  try {
    await act();
  } finally {
    Database.prototype.prepare = prepare;
  }
  const planned = [...statements].filter((text) => /^(select|update|delete|insert)/i.test(text));
  return new Map(planned.map((text) => [text, planOf(t, text)]));
}

function planOf(t: TestApp, statement: string): string {
  const steps = t.deps.db.client.query(`explain query plan ${statement}`).all();
  return (steps as { detail: string }[]).map(({ detail }) => detail).join('; ');
}

test.each([
  ['day', 'SEARCH item_views USING INDEX item_views_day (day>?)'],
  ['week', 'SEARCH item_views USING INDEX item_views_week (week>?)'],
  ['month', 'SEARCH item_views USING INDEX item_views_month (month>?)'],
  ['all', 'SEARCH item_views USING COVERING INDEX item_views_all (views>?)'],
] as const)('what is popular, %s, is a walk of its index', async (window, plan) => {
  await using t = await testApp();
  const plans = await plansOf(t, () => t.client.api.v2.items.popular.get({ query: { window } }));
  const items = 'SEARCH items USING INTEGER PRIMARY KEY (rowid=?)';
  const removed = 'USING ROWID SEARCH ON TABLE account_removals FOR IN-OPERATOR';
  expect([...plans.values()]).toEqual([`${plan}; ${items}; ${removed}`]);
});

test('views, statistics and sweeps read only what they need', async () => {
  let now = new Date('2026-03-01T05:30:00.000Z');
  await using t = await testApp({ now: () => now });
  const { client } = await t.signUp('ada');
  await client.api.v2.items.post({ title: 'a' });
  const plans = await plansOf(t, async () => {
    await t.client.api.v2.items({ item_id: 1 }).views.post();
    await t.deps.views.flush();
    await t.client.api.v2.items({ item_id: 1 }).stats.get();
    now = new Date(now.getTime() + 400 * 24 * HOUR_MS);
    await t.deps.jobs.runAll();
  });
  const text = [...plans].map(([query, plan]) => `${query} => ${plan}`).join('\n');
  expect(plans.size).toBeGreaterThanOrEqual(14);
  // The oldest events come first in their table and are read up to a limit. Only sources with a
  // schedule are read. Failed sign-ins are bounded,
  // and sqlite_sequence a row for each table.
  const bounded =
    'item_events|sources USING INDEX sources_refresh|sqlite_sequence|sign_in_failures USING COVERING INDEX \\w+';
  const whole = new RegExp(`SCAN (?!(${bounded})$)|TEMP B-TREE`, 'm');
  expect(text).not.toMatch(whole);
  expect(text).toContain('item_hours_item_id (item_id=? AND hour>?)');
  expect(text).toContain('item_days_item_id (item_id=? AND day>?)');
  expect(text).toContain('USING PRIMARY KEY ((day,item_id)>(?,?) AND day<?)');
  expect(text).toContain('USING PRIMARY KEY (hour<?)');
});
