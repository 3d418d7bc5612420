import { campaign } from './campaign.ts';
import { CALLERS } from './hostile-callers.ts';
import { type Check, createKit } from './hostile-kit.ts';
import { MACHINE } from './hostile-machine.ts';
import { OWNERS } from './hostile-owners.ts';

const CHECKS: Check[] = [...CALLERS, ...OWNERS, ...MACHINE];

/** Tries what attackers and operators' mistakes did to earlier versions, each on a fresh server. */
export const hostile = campaign({
  summary: 'attacks and mishaps that earlier versions did not hold, one by one.',
  options: { from: 1, to: CHECKS.length, timed: 1 },
  run: async ({ from, to, timed }, say) => {
    const losses: string[] = [];
    const checks = CHECKS.slice(from - 1, to).filter((it) => timed === 1 || !it.isTimed);
    for (const { sentence, expected, run } of checks) {
      await using kit = createKit();
      const { got, isOk } = await run(kit).catch((error: unknown) => ({
        got: String(error),
        isOk: false,
      }));
      say(`${isOk ? 'ok  ' : 'LOSS'} ${sentence}\n         expected ${expected}; got ${got}`);
      if (!isOk) losses.push(`${sentence}: expected ${expected}; got ${got}`);
    }
    const tried = checks.length;
    return { figures: { tried, held: tried - losses.length }, losses };
  },
});
