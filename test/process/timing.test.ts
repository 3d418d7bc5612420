import { expect, test } from 'bun:test';
import { tempDir } from '../support.ts';
import { ADMIN, serve } from './hutch.ts';

const PAIRS = 200;

/**
 * The chance that a random call for a known account took longer than one for an unknown: 0.5
 * tells nothing, 1 tells all (the area under the ROC curve).
 */
function auc(known: number[], unknown: number[]): number {
  let wins = 0;
  for (const a of known) for (const b of unknown) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (known.length * unknown.length);
}

test('the time of a refused sign-in does not tell whether the account exists', async () => {
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  await using server = await serve(tempDir(), { env });
  const refuse = async (login: string) => {
    const start = performance.now();
    const body = JSON.stringify({ login, password: 'not-the-password' });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/api/v2/auth/login`, {
      method: 'POST',
      body,
      headers,
    });
    expect(answer.status).toBe(401);
    await answer.text();
    return performance.now() - start;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    known.push(await refuse(ADMIN.username));
    unknown.push(await refuse('nobody'));
  }
  const area = auc(known, unknown);
  expect(area).toBeGreaterThan(0.4);
  expect(area).toBeLessThan(0.6);
}, 120_000);
