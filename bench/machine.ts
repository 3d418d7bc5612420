import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { generator } from './load/measure.ts';
import { canPin } from './load/process.ts';

const FSYNC_MS = 1_000;
const PAGE_BYTES = 4096;

/** Lines about the machine, as far as they bear on the numbers. */
export function describeMachine(dir: string): string[] {
  const { model = 'unknown' } = cpus()[0] ?? {};
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const pinning = canPin
    ? 'the server under test on core 0, load and upstreams on core 1'
    : 'processes not pinned to cores';
  const load = loadavg().map((value) => value.toFixed(2));
  return [
    `${model}, ${cpus().length} cores, ${gib} GiB, Linux ${release()}, Bun ${Bun.version}`,
    `data on ${fileSystemOf(dir)}: ${fsyncsPerSecond(dir)} fsyncs/s of one 4 KiB page`,
    `${generator}; ${pinning}; load average at the start ${load.join(' ')}`,
  ];
}

function fileSystemOf(dir: string): string {
  const { stdout } = Bun.spawnSync(['stat', '-f', '-c', '%T', dir]);
  return stdout.toString().trim() || 'an unknown file system';
}

function fsyncsPerSecond(dir: string): number {
  const path = join(dir, 'fsync');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const file = openSync(path, 'w');
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < FSYNC_MS) {
    writeSync(file, page, 0, PAGE_BYTES, (count % 256) * PAGE_BYTES);
    fsyncSync(file);
    count++;
  }
  const seconds = (performance.now() - start) / 1000;
  closeSync(file);
  rmSync(path);
  return Math.round(count / seconds);
}

/** The share of time, from 0 to 1, that the host took from this machine; undefined if unknown. */
export function stealMeter(): () => number | undefined {
  const start = cpuTimes();
  return () => {
    const end = cpuTimes();
    if (!start || !end || end.total === start.total) return undefined;
    return (end.steal - start.steal) / (end.total - start.total);
  };
}

function cpuTimes(): { steal: number; total: number } | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { steal: times[7] ?? 0, total: times.reduce((sum, time) => sum + time, 0) };
  } catch {
    return undefined;
  }
}
