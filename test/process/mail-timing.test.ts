import { expect, test } from 'bun:test';
import { tempDir } from '../support.ts';
import { ADMIN, type RunningHutch, serve } from './hutch.ts';

const PAIRS = 200;

/** The area under the ROC curve: 0.5 tells nothing of an account by time, 1 tells all. */
function auc(known: number[], unknown: number[]): number {
  let wins = 0;
  for (const a of known) for (const b of unknown) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (known.length * unknown.length);
}

async function timeOf({ url }: RunningHutch, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const start = performance.now();
  const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers });
  await answer.text();
  expect(answer.status).toBe(202);
  return performance.now() - start;
}

test('the time of an answer to a forgotten password does not tell whether there is an account', async () => {
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  await using server = await serve(tempDir(), { env });
  const forgot = (login: string) => timeOf(server, '/api/v2/auth/password/forgot', { login });
  const known: number[] = [];
  const unknown: number[] = [];
  for (let pair = -10; pair < PAIRS; pair++) {
    const times = [await forgot(ADMIN.username), await forgot('nobody')];
    if (pair < 0) continue;
    known.push(Number(times[0]));
    unknown.push(Number(times[1]));
  }
  const area = auc(known, unknown);
  expect(area).toBeGreaterThan(0.4);
  expect(area).toBeLessThan(0.6);
}, 60_000);
