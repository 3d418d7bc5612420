import { expect, test } from 'bun:test';
import { field } from './field.ts';

test('reports from the field that earlier versions did not satisfy are satisfied', async () => {
  const { figures, losses } = await field.run({ ...field.options }, () => {});
  expect(losses).toEqual([]);
  expect(Number(figures['held'])).toBeGreaterThan(15);
}, 120_000);
