import { expect, test } from 'bun:test';
import { hasShim } from '../shims/shim.ts';
import { power } from './power.ts';
import { hasRealCuts } from './real-disk.ts';

const BUDGET = { trials: 12, real: 3, writers: 4, seconds: 12, honest: 1, seed: Date.now() };

const canReplay = await hasShim();

test.skipIf(!canReplay)(
  `${BUDGET.trials} replayed power cuts lose nothing acknowledged`,
  async () => {
    const { figures, losses } = await power.run({ ...BUDGET, real: 0 }, () => {});
    expect(losses).toEqual([]);
    expect(figures['replayed cuts']).toBe(BUDGET.trials);
    expect(Number(figures['acknowledged writes, replayed'])).toBeGreaterThan(BUDGET.trials);
  },
  180_000,
);

test.skipIf(!canReplay)(
  'a disk that does not keep what was synced is found out',
  async () => {
    const { losses } = await power.run({ ...BUDGET, real: 0, honest: 0 }, () => {});
    expect(losses).not.toEqual([]);
  },
  180_000,
);

test.skipIf(!hasRealCuts())(
  `${BUDGET.real} real power cuts lose nothing acknowledged`,
  async () => {
    const { figures, losses } = await power.run({ ...BUDGET, trials: 0 }, () => {});
    expect(losses).toEqual([]);
    expect(Number(figures['acknowledged writes, real'])).toBeGreaterThan(BUDGET.real);
  },
  180_000,
);
