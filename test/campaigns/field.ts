import { campaign } from './campaign.ts';
import { FIELD_OPERATORS } from './field-operators.ts';
import { FIELD_USERS } from './field-users.ts';
import { type Check, createKit } from './hostile-kit.ts';

const CHECKS: Check[] = [...FIELD_USERS, ...FIELD_OPERATORS];

/** Tries what people reported of such systems in public, each case on a fresh server. */
export const field = campaign({
  summary: 'reports from the field that earlier versions did not satisfy, one by one.',
  options: { from: 1, to: CHECKS.length },
  run: async ({ from, to }, say) => {
    const checks = CHECKS.slice(from - 1, to);
    const losses: string[] = [];
    let held = 0;
    for (const { sentence, expected, run } of checks) {
      await using kit = createKit();
      const { got, isOk } = await run(kit).catch((error: unknown) => ({
        got: String(error),
        isOk: false,
      }));
      const word = isOk ? 'ok  ' : 'LOSS';
      say(`${word} ${sentence}\n         expected ${expected}; got ${got}`);
      if (isOk) held++;
      else losses.push(`${sentence}: expected ${expected}; got ${got}`);
    }
    return { figures: { tried: checks.length, held }, losses };
  },
});
