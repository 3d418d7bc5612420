import { expect, test } from 'bun:test';
import { isBinary } from '../../process/hutch.ts';
import { hostile } from './hostile.ts';

test.if(isBinary)(
  'attacks and mishaps that earlier versions did not hold are held',
  async () => {
    const { figures, losses } = await hostile.run(
      { ...hostile.options, full: 0, parallel: 4 },
      () => {},
    );
    expect(losses).toEqual([]);
    expect(Number(figures['held'])).toBeGreaterThan(30);
  },
  300_000,
);
