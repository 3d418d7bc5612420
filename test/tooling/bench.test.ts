import { describe, expect, test } from 'bun:test';
import { PROGRAMS, programPath } from '../../bench/stage.ts';

describe('the benchmarks', () => {
  test.each(PROGRAMS)('can build the program %s', async (name) => {
    const { success } = await Bun.build({ entrypoints: [programPath(name)], target: 'bun' });
    expect(success).toBe(true);
  });
});
