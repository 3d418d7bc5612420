import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { shimLibrary } from './shim.ts';

/** A wall clock of a server's own, which can be put back and forward while it runs. */
export function createClock() {
  const path = join(tempDir(), 'clock');
  const set = (seconds: number) => writeFileSync(path, `${seconds}\n`);
  set(0);
  return { env: { LD_PRELOAD: shimLibrary('clock-shim'), CLOCK_CONTROL: path }, set };
}
