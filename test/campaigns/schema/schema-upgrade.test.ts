import { expect, test } from 'bun:test';
import { schemaUpgrade } from './schema-upgrade.ts';

const BUDGET = { kills: 8, rows: 20_000, seed: Date.now() };

test(`a schema upgrade killed ${BUDGET.kills} times leaves the database old or new`, async () => {
  const { losses } = await schemaUpgrade.run(BUDGET, () => {});
  expect(losses).toEqual([]);
}, 120_000);
