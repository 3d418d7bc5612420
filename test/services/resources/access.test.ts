import { describe, expect, test } from 'bun:test';
import { type AnyActor, SYSTEM } from '../../../src/core/actor.ts';
import { AppError } from '../../../src/core/exceptions.ts';
import { integer, text, visibility } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { NOBODY, testApp } from '../../support.ts';

const columns = { title: text(), friend_id: integer() };
const RESOURCES = {
  of_all: resource('of_all', { columns, read: 'public', write: 'user', one: 'of_one' }),
  articles: resource('articles', { columns, read: 'public', write: 'owner' }),
  drafts: resource('drafts', {
    columns: { ...columns, visibility: visibility() },
    read: 'public',
    write: 'owner',
  }),
  members: resource('members', { columns, read: 'user', write: 'owner' }),
  diaries: resource('diaries', { columns, read: 'owner', write: 'owner' }),
  notices: resource('notices', { columns, read: 'public', write: 'admin' }),
  reports: resource('reports', { columns, read: 'admin', write: 'admin' }),
  letters: resource('letters', {
    columns,
    read: ({ id }, row) => id === row.owner_id || id === row.friend_id,
    write: ({ id }, row) => id === row.owner_id,
  }),
};
type Name = keyof typeof RESOURCES;

/** What each caller may do with a row of Ada, and with a private one: read, write or nothing. */
const EXPECTED: [name: Name, row: object, access: Record<string, string>][] = [
  ['of_all', {}, { ada: 'rw', bob: 'rw', friend: 'rw', admin: 'rw', nobody: 'r', system: 'rw' }],
  ['articles', {}, { ada: 'rw', bob: 'r', friend: 'r', admin: 'rw', nobody: 'r', system: 'rw' }],
  ['drafts', {}, { ada: 'rw', bob: 'r', friend: 'r', admin: 'rw', nobody: 'r', system: 'rw' }],
  ['members', {}, { ada: 'rw', bob: 'r', friend: 'r', admin: 'rw', nobody: '-', system: 'rw' }],
  [
    'drafts',
    { visibility: 'private' },
    { ada: 'rw', bob: '-', friend: '-', admin: '-', nobody: '-', system: 'rw' },
  ],
  ['diaries', {}, { ada: 'rw', bob: '-', friend: '-', admin: '-', nobody: '-', system: 'rw' }],
  ['notices', {}, { ada: 'r', bob: 'r', friend: 'r', admin: 'rw', nobody: 'r', system: 'rw' }],
  ['reports', {}, { ada: '-', bob: '-', friend: '-', admin: 'rw', nobody: '-', system: 'rw' }],
  ['letters', {}, { ada: 'rw', bob: '-', friend: 'r', admin: '-', nobody: '-', system: 'rw' }],
];

async function openWorld(name: Name) {
  const t = await testApp({ resources: RESOURCES });
  const ada = await t.signUp('ada');
  const callers: Record<string, AnyActor> = {
    ada,
    bob: await t.signUp('bob'),
    friend: await t.signUp('friend'),
    admin: await t.signUp('root', 'admin'),
    nobody: NOBODY,
    system: SYSTEM,
  };
  const found = t.deps.resources[name];
  if (!found) throw new Error(name);
  return { t, ada, callers, ...found, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

/** The code of the refusal; undefined if the work succeeds. */
async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe('access', () => {
  test.each(EXPECTED)('to a row of %s %j is as its levels say', async (name, values, expected) => {
    await using it = await openWorld(name);
    const { rows, changes, t, ada } = it;
    const given = { title: 'A', friend_id: it.callers['friend']?.id ?? 0, ...values };
    const { id } = await t.deps.db.write((tx) =>
      changes.create(tx, SYSTEM, given, { owner_id: ada.id }),
    );
    for (const [caller, may] of Object.entries(expected)) {
      const actor = it.callers[caller] as AnyActor;
      const read = await refusalOf(rows.get(actor, id));
      const written = await refusalOf(rows.update(actor, id, { title: caller }));
      expect([caller, read]).toEqual([caller, may.includes('r') ? undefined : 'not_found']);
      const refusal = may.includes('r') ? 'forbidden' : 'not_found';
      expect([caller, written]).toEqual([caller, may.includes('w') ? undefined : refusal]);
    }
  });

  test('to create rows is for signed-in accounts, admins or whom a rule accepts', async () => {
    const creators = { articles: ['ada', 'admin'], reports: ['admin'], letters: ['ada', 'admin'] };
    for (const [name, allowed] of Object.entries(creators)) {
      await using it = await openWorld(name as Name);
      for (const caller of ['ada', 'admin']) {
        const refusal = await refusalOf(it.rows.create(it.callers[caller] as AnyActor, {}));
        const expected = allowed.includes(caller) ? undefined : 'forbidden';
        expect([name, caller, refusal]).toEqual([name, caller, expected]);
      }
    }
  });
});
