import { expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { readDescriptors, watchDescriptors } from '../../src/core/descriptors.ts';
import { createLog } from '../../src/core/log.ts';

test.skipIf(process.platform !== 'linux')(
  'open descriptors are counted, and their limit is read',
  () => {
    const before = readDescriptors();
    const files = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
    const { open, limit } = readDescriptors();
    for (const file of files) closeSync(file);
    expect(Number(open) - Number(before.open)).toBeGreaterThanOrEqual(20);
    expect(Number(limit)).toBeGreaterThan(Number(open));
  },
);

// proves: costly-work.connections
test('idle connections are closed while nearly all descriptors are in use, with one warning a minute', async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: 'info', format: 'json', now: () => new Date(), write });
  let open = 89;
  let closings = 0;
  const closeIdle = () => {
    closings += 1;
    return 7;
  };
  let reads = 0;
  const read = () => {
    reads += 1;
    return { open, limit: 100 };
  };
  const stop = watchDescriptors({ log, closeIdle, read, everyMs: 1 });
  while (reads < 3) await Bun.sleep(1);
  expect(closings).toBe(0);
  open = 90;
  while (closings < 3) await Bun.sleep(1);
  stop();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', open: 90, limit: 100, closed_connections: 7 },
  ]);
});
