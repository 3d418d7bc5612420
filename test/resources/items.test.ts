import { expect, test } from 'bun:test';
import { items } from '../../src/resources/items.ts';
import { ITEM_FILTERS } from '../../src/schemas/filters.ts';
import { ItemNew } from '../../src/schemas/items/items-v2.ts';

const { definition } = items;

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
