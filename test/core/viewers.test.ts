import { expect, test } from 'bun:test';
import { createViewers, type Viewer } from '../../src/core/viewers.ts';

const anonymous = (address: string | null, user_agent: string | null = 'Firefox'): Viewer => ({
  id: null,
  origin: { address, user_agent, request_id: null },
});
const account = (id: number, address: string | null = null): Viewer => ({
  ...anonymous(address),
  id,
});

function testViewers() {
  return createViewers({ windowMs: 60_000, now: () => new Date('2026-03-10T05:30:00.000Z') });
}

test.each([
  ['the same visitor', anonymous('192.0.2.1'), anonymous('192.0.2.1'), false],
  ['another address', anonymous('192.0.2.1'), anonymous('192.0.2.2'), true],
  ['another agent', anonymous('192.0.2.1'), anonymous('192.0.2.1', 'Safari'), true],
  ['an address of one IPv6 network', anonymous('2001:db8::1'), anonymous('2001:db8::2'), false],
  ['an IPv4 address in IPv6', anonymous('::ffff:192.0.2.1'), anonymous('192.0.2.1'), false],
  ['an account elsewhere', account(1, '192.0.2.1'), account(1), false],
  ['another account', account(1), account(2), true],
  ['an account after an anonymous visit', anonymous(null), account(1), true],
])('%s', (_, first, second, isNew) => {
  const viewers = testViewers();
  expect(viewers.isNew(1, first)).toBe(true);
  expect(viewers.isNew(1, second)).toBe(isNew);
  expect(viewers.isNew(2, first)).toBe(true);
});

test('only the latest 100,000 views are remembered', () => {
  const viewers = testViewers();
  for (let id = 1; id <= 100_001; id++) viewers.isNew(id, account(1));
  const again = (id: number) => viewers.isNew(id, account(1));
  expect([again(100_001), again(2), again(1)]).toEqual([false, false, true]);
});
