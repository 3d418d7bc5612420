import { expect, test } from 'bun:test';
import { createClaims } from '../../src/core/claims.ts';
import { createIdempotency } from '../../src/services/idempotency.ts';
import { createQuotas } from '../../src/services/quotas.ts';
import { atOnce, testApp } from '../support.ts';

test('one of several concurrent processes does the work, and the others undo it', async () => {
  await using t = await testApp();
  const { db, now, items, config, box } = t.deps;
  const quotas = createQuotas(config);
  const ada = await t.signUp('ada');
  const keyed = { actor: ada, key: 'k', request_hash: 'h' };
  const fields = { title: 'a', description: '', url: null, tags: [], data: {} };
  const ends = await atOnce(20, () => {
    // Each process has its own claims and does not see those of the others.
    const process = createIdempotency({ db, claims: createClaims(), quotas, box, now });
    return process.once(keyed, async (store) => {
      const response = { status: 201, location: null, body: '{}' };
      await items.create(ada, { ...fields, visibility: 'public' }, (tx) => store(tx, response));
    });
  });
  const failed = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []));
  expect(new Set(failed)).toEqual(new Set(['idempotency_running']));
  expect(t.deps.db.client.query('select count(*) from items').values()).toEqual([[1]]);
});
