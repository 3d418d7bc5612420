import { expect, test } from 'bun:test';
import { items } from '../../src/resources/items.ts';

const { definition } = items;

test('the declaration of items has their filters', () => {
  const shown = Object.entries(definition.filters).map(
    ([name, { type, ops, isNfc = false, hasPath = false }]) =>
      [name, String(type), ops.join(' '), isNfc, hasPath] as const,
  );
  const ordered = 'eq ne gt gte lt lte in';
  expect(shown).toEqual([
    ['id', 'integer', ordered, false, false],
    ['owner_id', 'account', ordered, false, false],
    ['title', 'text', `${ordered} like`, true, false],
    ['url', 'text', 'eq ne in like is', false, false],
    ['tags', 'text', 'eq ne in', true, false],
    ['visibility', 'public,private', 'eq ne in', false, false],
    ['views', 'integer', ordered, false, false],
    ['version', 'integer', ordered, false, false],
    ['created_at', 'time', ordered, false, false],
    ['updated_at', 'time', ordered, false, false],
    ['data', 'json', `${ordered} like is`, false, true],
  ]);
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
