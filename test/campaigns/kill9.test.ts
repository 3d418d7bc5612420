import { expect, test } from 'bun:test';
import { kill9 } from './kill9.ts';

const BUDGET = { trials: 20, writers: 8, seed: Date.now() };

test(`${BUDGET.writers} writers killed with -9 lose nothing acknowledged, ${BUDGET.trials} times`, async () => {
  const { figures, losses } = await kill9.run(BUDGET, () => {});
  expect(losses).toEqual([]);
  expect(Number(figures['acknowledged writes'])).toBeGreaterThanOrEqual(
    BUDGET.trials * BUDGET.writers,
  );
}, 180_000);
