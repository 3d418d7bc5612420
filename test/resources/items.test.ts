import { expect, test } from 'bun:test';
import { items } from '../../src/resources/items.ts';
import { ITEM_FILTERS } from '../../src/schemas/filters.ts';

const { definition } = items;

test('the declaration of items has their filters', () => {
  expect(definition.filters).toEqual(ITEM_FILTERS);
  expect(Object.keys(definition.filters)).toEqual(Object.keys(ITEM_FILTERS));
  expect(definition.indexed).toEqual(['owner_id', 'url']);
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
