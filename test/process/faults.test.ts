import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { faults, faultUrl } from '../core/outbound/fault-upstream.ts';
import { httpUpstream } from '../core/outbound/upstream.ts';
import { atOnce, tempDir } from '../support.ts';
import { ADMIN, serve } from './hutch.ts';

/** 20 calls per fault: within the limit of a host, and too few to open its circuit. */
const HOSTS = 5;
const PER_HOST = 4;
const MAX_GROWTH_MB = 32;
const MAX_MEASUREMENTS = 100;
const MEASUREMENT_INTERVAL_MS = 50;

test(`${HOSTS * PER_HOST} concurrent calls per fault do not increase the memory of a server`, async () => {
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
    const response = await fetch(server.url + path, { headers });
    await response.text();
    return response.status;
  };
  const statusesOf = async (urls: string[]) => {
    const all = await atOnce(HOSTS * PER_HOST, (index) =>
      statusOf(urls[index % urls.length] ?? ''),
    );
    return new Set(all.map((it) => (it.status === 'fulfilled' ? it.value : it.reason)));
  };
  const { url } = httpUpstream(() => Response.json('a'.repeat(1_000)));
  for (let round = 0; round < 10; round++) expect(await statusesOf([url])).toEqual(new Set([200]));

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
  expect(growth).toBeLessThan(MAX_GROWTH_MB);
}, 60_000);

/** Returns the first measurement below the limit, or the last: freed memory returns with a delay. */
async function settled(measure: () => Promise<number>): Promise<number> {
  let value = await measure();
  for (let count = 0; count < MAX_MEASUREMENTS && value >= MAX_GROWTH_MB; count++) {
    await Bun.sleep(MEASUREMENT_INTERVAL_MS);
    value = await measure();
  }
  return value;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
