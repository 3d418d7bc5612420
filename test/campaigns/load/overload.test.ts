import { expect, test } from 'bun:test';
import { isBinary } from '../../process/hutch.ts';
import { overload } from './overload.ts';

/** A shared machine says nothing of speed: what is judged here is what becomes of the requests. */
const BUDGET = { connections: 1000, seconds: 2, load: 400, goodput: 0, p99: 60_000 };

test.if(isBinary)(
  // proves: costly-work.overload
  'under four times the load that the server can answer, probes and streams go on and it stops',
  async () => {
    const { losses } = await overload.run(BUDGET, () => {});
    expect(losses).toEqual([]);
  },
  120_000,
);
