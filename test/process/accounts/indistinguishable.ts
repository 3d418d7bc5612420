import { expect } from 'bun:test';
import { areaBetween, type Timed } from '../times.ts';

const ROUNDS = 3;

/**
 * Expects that the time of a call does not tell the two apart: the area between them is 0.4 to
 * 0.6. A round outside is measured anew, twice at most: a real difference stays.
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
