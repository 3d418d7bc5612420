import { describe, expect, test } from 'bun:test';
import { sleep } from '../../../src/utils/async/abort.ts';
import { type Fault, faults, faultUrl } from './fault-upstream.ts';
import { codeOf, outboundFor } from './upstream.ts';

const TIMES = 20;

describe(`${TIMES} calls at once all end within the deadline, as the table says`, () => {
  test.each(faults)('$what: $code', endsAsTheTableSays, 15_000);
});

async function endsAsTheTableSays(fault: Fault): Promise<void> {
  const url = await faultUrl(fault);
  const deadlineMs = fault.code === 'timeout' ? 300 : 4_000;
  const limits = { maxPerHost: TIMES, breaker: false, deadlineMs, attemptMs: deadlineMs } as const;
  const outbound = outboundFor(limits);
  const calls = Array.from({ length: TIMES }, () => codeOf(outbound.getJson(url)));
  const late = new AbortController();
  const first = await Promise.race([
    Promise.all(calls),
    sleep(deadlineMs * 3, late.signal).then(() => 'late'),
  ]);
  late.abort();
  expect(first).toEqual(Array(TIMES).fill(fault.code));
  expect(outbound.stats()).toMatchObject({ inFlight: 0, queued: 0 });
}
