import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { faults, faultUrl } from '../core/outbound/fault-upstream.ts';
import { httpUpstream } from '../core/outbound/upstream.ts';
import { atOnce, tempDir } from '../support.ts';
import { ADMIN, serve } from './hutch.ts';

/** 20 of each fault: as many as one host may have at once, and too few to leave it alone. */
const HOSTS = 5;
const PER_HOST = 4;
const MOST_GROWTH_MB = 32;
const LOOKS = 100;
const LOOK_MS = 50;

test(`every fault, ${HOSTS * PER_HOST} times at once, costs a server next to no memory`, async () => {
  await using server = await serve(tempDir(), {
    env: {
      ...ADMIN.env,
      HUTCH_RATE_LIMIT: 'off',
      HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1',
      HUTCH_EXTERNAL_TIMEOUT_MS: '300',
    },
  });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const statusOf = async (url: string) => {
    const path = `/api/v1/external/?url=${encodeURIComponent(url)}`;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(server.url + path, { headers });
    await answer.text();
    return answer.status;
  };
  const statusesOf = async (urls: string[]) => {
    const all = await atOnce(HOSTS * PER_HOST, (index) =>
      statusOf(urls[index % urls.length] ?? ''),
    );
    return new Set(all.map((it) => (it.status === 'fulfilled' ? it.value : it.reason)));
  };
  const { url } = httpUpstream(() => Response.json('a'.repeat(1_000)));
  for (let turn = 0; turn < 10; turn++) expect(await statusesOf([url])).toEqual(new Set([200]));

  const before = residentMb(server.pid);
  for (const fault of faults) {
    const urls = await Promise.all(Array.from({ length: HOSTS }, () => faultUrl(fault)));
    expect([fault.what, await statusesOf(urls)]).toEqual([fault.what, new Set([502])]);
  }
  expect(await statusesOf([url])).toEqual(new Set([200]));
  const growth = await settled(async () => {
    await statusesOf([url]);
    return residentMb(server.pid) - before;
  });
  expect(growth).toBeLessThan(MOST_GROWTH_MB);
}, 60_000);

/** The first look that is small enough, or the last: what is freed goes back after a while. */
async function settled(look: () => Promise<number>): Promise<number> {
  let value = await look();
  for (let count = 0; count < LOOKS && value >= MOST_GROWTH_MB; count++) {
    await Bun.sleep(LOOK_MS);
    value = await look();
  }
  return value;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
