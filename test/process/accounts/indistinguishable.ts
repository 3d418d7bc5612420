import { expect } from 'bun:test';
import { areaBetween, type Timed } from '../times.ts';

const ROUNDS = 3;

/**
 * Expects that the durations of two calls cannot be distinguished: the area under the ROC curve is
 * between 0.4 and 0.6. Measures again up to twice, because a real difference persists.
 */
export async function expectSameTime(known: Timed, unknown: Timed): Promise<void> {
  let area = Number.NaN;
  for (let round = 0; round < ROUNDS; round++) {
    area = await areaBetween(known, unknown);
    if (area > 0.4 && area < 0.6) return;
  }
  expect(area).toBeGreaterThan(0.4);
  expect(area).toBeLessThan(0.6);
}
