import { expect, test } from 'bun:test';
import { createLookup } from '../../../src/core/outbound/lookup.ts';

/** Creates a lookup whose resolver responds only when the test calls `respond`. */
function manualLookup() {
  const pending = new Map<string, () => void>();
  const lookup = createLookup((name) => {
    const { promise, resolve } = Promise.withResolvers<{ address: string }[]>();
    pending.set(name, () => resolve([{ address: '1.1.1.1' }]));
    return promise;
  });
  return { pending, lookup, respond: (name: string) => pending.get(name)?.() };
}

const dead = (owner: string) =>
  Array.from({ length: 500 }, (_, index) => `dead${index}.${owner}.test`);

// proves: costly-work.looking-up-a-name
test('unanswered names of one owner do not delay another owner', async () => {
  const { pending, lookup, respond } = manualLookup();
  for (const name of dead('a')) lookup(name, { owner: 'a' }).catch(() => {});
  await Bun.sleep(0);
  expect(pending.size).toBe(114);
  const found = lookup('live.test', { owner: 'b' });
  await Bun.sleep(0);
  respond('live.test');
  expect(await found).toEqual([{ address: '1.1.1.1' }]);
});

// proves: costly-work.looking-up-a-name, 15.2.2
test('it takes many owners to occupy every lookup', async () => {
  const { pending, lookup } = manualLookup();
  for (let owner = 0; owner < 40; owner++) {
    for (const name of dead(`busy${owner}`))
      lookup(name, { owner: `busy${owner}` }).catch(() => {});
  }
  await Bun.sleep(0);
  expect(pending.size).toBeGreaterThan(900);
  void lookup('live.test', { owner: 'new' });
  await Bun.sleep(0);
  expect(pending.has('live.test')).toBe(true);
});

// proves: costly-work.looking-up-a-name
test('a lookup without callers counts until it ends', async () => {
  const { pending, lookup, respond } = manualLookup();
  const leaving = new AbortController();
  const { signal } = leaving;
  const gone = dead('a').map((name) => lookup(name, { owner: 'a', signal }).catch(() => 'gone'));
  await Bun.sleep(0);
  leaving.abort();
  expect((await Promise.all(gone.slice(114))).every((it) => it === 'gone')).toBe(true);
  const later = lookup('later.test', { owner: 'a' });
  await Bun.sleep(0);
  expect(pending.has('later.test')).toBe(false);
  for (const name of dead('a').slice(0, 9)) respond(name);
  await Bun.sleep(0);
  respond('later.test');
  expect(await later).toHaveLength(1);
});

test('concurrent callers of all owners share the lookup of a name', async () => {
  let lookups = 0;
  const lookup = createLookup(async () => {
    lookups += 1;
    return [{ address: '1.1.1.1' }];
  });
  const pending = ['a', 'b', 'b'].map((owner) => lookup('name.test', { owner }));
  expect(await Promise.all(pending)).toHaveLength(3);
  expect(lookups).toBe(1);
  await lookup('name.test');
  expect(lookups).toBe(2);
});

test('a failed lookup is not cached', async () => {
  let lookups = 0;
  const lookup = createLookup(async () => {
    lookups += 1;
    if (lookups === 1) throw new Error('DNS_ENOTFOUND');
    return [{ address: '1.1.1.1' }];
  });
  await expect(lookup('name.test')).rejects.toThrow('DNS_ENOTFOUND');
  expect(await lookup('name.test')).toHaveLength(1);
});
