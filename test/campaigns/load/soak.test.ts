import { expect, test } from 'bun:test';
import { isBinary } from '../../process/hutch.ts';
import { soak } from './soak.ts';
import { CLIENTS } from './soak-clients.ts';

/** The memory of a short run varies by chance; the bounds only detect runaway growth. */
const BUDGET = { minutes: 0.2, each: 1, maxMixMb: 400, maxIdleMb: 350, idleSeconds: 1 };

test.if(isBinary)(
  'a mix of all kinds of clients is answered without a fault',
  async () => {
    const { figures, losses } = await soak.run(BUDGET, () => {});
    expect(losses).toEqual([]);
    for (const name of Object.keys(CLIENTS)) expect(figures).toHaveProperty(name);
  },
  120_000,
);
