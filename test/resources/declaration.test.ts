import { describe, expect, test } from 'bun:test';
import {
  anyJson,
  flag,
  ref,
  text,
  texts,
  visibility,
} from '../../src/resources/declare/columns.ts';
import type { Resource } from '../../src/resources/declare/definition.ts';
import { singular } from '../../src/resources/declare/names.ts';
import { resource } from '../../src/resources/declare/resource.ts';
import { checkTogether } from '../../src/resources/together.ts';

const title = text().notNull();
const access = { read: 'public', write: 'owner' } as const;
const plain = { columns: { title }, ...access };

/** Declares a resource without the checks of the compiler. */
const declare = (name: string, declaration: object) => () =>
  resource(name, { ...plain, ...declaration } as typeof plain);

/** Declarations and the mistake that each reports. */
const MISTAKES: [what: string, declared: () => unknown, mistake: string][] = [
  ['a name in upper case', declare('Notes', {}), 'must consist of lower-case letters'],
  ['a name that starts with a digit', declare('1notes', {}), 'must consist of'],
  ['a name that is too long', declare('n'.repeat(41), {}), 'at most 40 characters'],
  ['the name of a group of routes', declare('auth', {}), 'the name auth is reserved'],
  ['a word of the routes', declare('export', {}), 'the name export is reserved'],
  ['a wrong singular', declare('notes', { one: 'a note' }), 'the one "a note" must consist of'],
  ['no column', declare('notes', { columns: {} }), 'it needs at least one column'],
  [
    'a column of the engine',
    declare('notes', { columns: { owner_id: title } }),
    'the column name owner_id is reserved',
  ],
  [
    'a column with a wrong name',
    declare('notes', { columns: { 'a b': title } }),
    'the column "a b" must consist of',
  ],
  [
    'an unknown filter',
    declare('notes', { filter: ['titel'] }),
    'filter names titel, which is not',
  ],
  [
    'an unknown sort',
    declare('notes', { sort: ['owner_id'] }),
    'sort names owner_id, which is not',
  ],
  [
    'an unknown search',
    declare('notes', { search: ['titel'] }),
    'search names titel, which is not',
  ],
  ['a repeated field', declare('notes', { sort: ['title', 'title'] }), 'sort names title twice'],
  ['a filter by views that are not counted', declare('notes', { filter: ['views'] }), 'views'],
  [
    'a sort by a list',
    declare('notes', { columns: { tags: texts().notNull() }, sort: ['tags'] }),
    'sort: tags has no order',
  ],
  [
    'a sort by a column with null',
    declare('notes', { columns: { title: text() }, sort: ['title'] }),
    'sort: title must be notNull()',
  ],
  [
    'a search in a flag',
    declare('notes', { columns: { pinned: flag() }, search: ['pinned'] }),
    'search: pinned is not a text',
  ],
  [
    'a visibility with another name',
    declare('notes', { columns: { shown: visibility() } }),
    'the column shown must have the name visibility',
  ],
  [
    'a visibility that no one may use',
    declare('notes', { columns: { visibility: visibility() }, read: 'owner' }),
    "visibility needs read: 'public'",
  ],
  [
    'a reference that can neither be null nor stay',
    declare('notes', {
      columns: { list_id: ref(() => resource('lists', plain), { onDelete: 'set null' }).notNull() },
    }),
    'list_id cannot be set to null',
  ],
];

describe('resource', () => {
  for (const [what, declared, mistake] of MISTAKES) {
    test(`refuses ${what}`, () => {
      expect(declared).toThrow(mistake);
    });
  }

  test('names the resource in a mistake', () => {
    expect(declare('notes', { sort: ['titel'] })).toThrow('Resource "notes": sort names titel');
  });

  test('passes the row to an access rule as responses show it', () => {
    const { definition } = resource('notes', {
      columns: { pinned: flag().notNull(), data: anyJson().notNull(), tags: texts() },
      read: (actor, row) => row.pinned && row.data['of'] === actor.id && row.tags === null,
      write: 'owner',
    });
    const { read } = definition;
    const row = { id: 1, owner_id: 1, version: 1, created_at: '', updated_at: '', tags: null };
    const actor = { id: 7, role: 'user', session: null, origin: {} } as never;
    const may = (fields: { pinned: number; data: string }) =>
      typeof read === 'function' && read(actor, { ...row, ...fields });
    expect(may({ pinned: 1, data: '{"of":7}' })).toBe(true);
    expect(may({ pinned: 0, data: '{"of":7}' })).toBe(false);
    expect(may({ pinned: 1, data: '{"of":8}' })).toBe(false);
  });
});

test('the singular of a name is its English one', () => {
  const names = ['notes', 'stories', 'boxes', 'dishes', 'houses', 'glass', 'toys', 'sheep'];
  const singulars = ['note', 'story', 'box', 'dish', 'house', 'glass', 'toy', 'sheep'];
  expect(names.map(singular)).toEqual(singulars);
});

describe('checkTogether', () => {
  const definitionsOf = (...resources: Resource[]) => resources.map(({ definition }) => definition);
  const notes = resource('notes', { ...plain, history: true });

  test('accepts resources with different tables', () => {
    const tasks = resource('tasks', { columns: { note_id: ref(() => notes) }, ...access });
    expect(() => checkTogether(definitionsOf(notes, tasks))).not.toThrow();
  });

  test('refuses a table of the core', () => {
    const sessions = resource('sessions', plain);
    expect(() => checkTogether(definitionsOf(sessions))).toThrow('sessions belongs to the core');
  });

  test('refuses the name of another resource', () => {
    expect(() => checkTogether(definitionsOf(notes, resource('notes', plain)))).toThrow(
      'its table notes belongs to notes',
    );
  });

  test('refuses the name of a further table of another resource', () => {
    const revisions = resource('note_revisions', plain);
    expect(() => checkTogether(definitionsOf(notes, revisions))).toThrow(
      'its table note_revisions belongs to notes',
    );
  });

  test('refuses a reference to a resource that is not served', () => {
    const tasks = resource('tasks', { columns: { note_id: ref(() => notes) }, ...access });
    expect(() => checkTogether(definitionsOf(tasks))).toThrow(
      'note_id references notes, which is not served',
    );
  });
});
