import { expect, test } from 'bun:test';
import { generateSQLiteDrizzleJson } from 'drizzle-kit/api';
import { getTableName } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as models from '../../src/models/items.ts';
import { tablesOf } from '../../src/resources/declare/tables.ts';
import { items } from '../../src/resources/items.ts';
import { ITEM_FILTERS } from '../../src/schemas/filters.ts';
import { ItemNew } from '../../src/schemas/items/items-v2.ts';

const { definition } = items;

/** The tables of items, as drizzle-kit sees them. */
async function snapshot(tables: readonly SQLiteTable[]) {
  const named = Object.fromEntries(tables.map((table) => [getTableName(table), table]));
  return (await generateSQLiteDrizzleJson(named)).tables;
}

test('the declaration of items has the tables of the migrations', async () => {
  const declared = tablesOf(definition);
  const {
    items: table,
    itemRevisions,
    itemEvents,
    itemViews,
    itemHours,
    itemDays,
    itemTags,
  } = models;
  const before = [table, itemRevisions, itemEvents, itemViews, itemHours, itemDays, itemTags];
  expect(declared).toHaveLength(before.length);
  expect(await snapshot(declared)).toEqual(await snapshot(before));
});

test('the declaration of items has their filters', () => {
  expect(definition.filters).toEqual(ITEM_FILTERS);
  expect(Object.keys(definition.filters)).toEqual(Object.keys(ITEM_FILTERS));
  expect(definition.indexed).toEqual(['owner_id', 'url']);
});

test('the declaration of items has the schemas of their fields', () => {
  const { url: _, ...schemas } = ItemNew.properties;
  const declared = definition.fields.filter(({ name }) => name !== 'url');
  const shown = Object.fromEntries(declared.map(({ name, schema }) => [name, schema]));
  // In JSON, because optional fields have a symbol.
  expect(JSON.parse(JSON.stringify(shown))).toEqual(JSON.parse(JSON.stringify(schemas)));
});

test('the declaration of items has their defaults', () => {
  const defaults = definition.fields.map((it) => [it.name, it.isRequired, it.default]);
  expect(defaults).toEqual([
    ['title', true, undefined],
    ['description', false, ''],
    ['url', false, null],
    ['tags', false, []],
    ['data', false, {}],
    ['visibility', false, 'public'],
  ]);
});
