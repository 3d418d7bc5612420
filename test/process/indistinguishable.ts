import { expect } from 'bun:test';

const PAIRS = 200;
const WARM_UP = 10;
const ROUNDS = 3;

type Timed = () => Promise<number>;

/**
 * Expects that the time of a call does not tell the two apart: over 200 interleaved pairs the
 * area under the ROC curve is 0.4 to 0.6 (0.5 tells nothing, 1 tells all). Either goes first by
 * chance, so that nothing that comes at every second call, such as a checkpoint, is taken for a
 * difference. By chance alone the area has a standard deviation of 0.03, and more beside busy
 * neighbours, so a round outside is measured anew, twice at most: a real difference stays.
 */
export async function expectSameTime(known: Timed, unknown: Timed): Promise<void> {
  let area = Number.NaN;
  for (let round = 0; round < ROUNDS; round++) {
    area = await measure(known, unknown);
    if (area > 0.4 && area < 0.6) return;
  }
  expect(area).toBeGreaterThan(0.4);
  expect(area).toBeLessThan(0.6);
}

async function measure(known: Timed, unknown: Timed): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let pair = -WARM_UP; pair < PAIRS; pair++) {
    const isKnownFirst = Math.random() < 0.5;
    const first = await (isKnownFirst ? known : unknown)();
    const second = await (isKnownFirst ? unknown : known)();
    if (pair < 0) continue;
    times[0].push(isKnownFirst ? first : second);
    times[1].push(isKnownFirst ? second : first);
  }
  return auc(...times);
}

/** The chance that one of the first took longer than one of the others (Mann–Whitney U / nm). */
function auc(known: number[], unknown: number[]): number {
  let wins = 0;
  for (const a of known) for (const b of unknown) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (known.length * unknown.length);
}

/** The milliseconds until the whole answer to a JSON body is there, which has this status. */
export async function timeOfPost(url: string, body: object, status: number): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const start = performance.now();
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
  await answer.text();
  const took = performance.now() - start;
  expect(answer.status).toBe(status);
  return took;
}
