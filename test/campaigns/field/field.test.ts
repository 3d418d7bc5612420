import { expect, test } from 'bun:test';
import { isBinary } from '../../process/hutch.ts';
import { field } from './field.ts';

test.if(isBinary)(
  'reports from the field that earlier versions did not satisfy are satisfied',
  async () => {
    const { figures, losses } = await field.run(
      { ...field.options, full: 0, parallel: 4 },
      () => {},
    );
    expect(losses).toEqual([]);
    expect(Number(figures['held'])).toBeGreaterThan(35);
  },
  240_000,
);
