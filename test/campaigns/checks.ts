import { campaign } from './campaign.ts';
import { type Check, createKit, type Seen } from './hostile/kit.ts';

/**
 * A campaign that runs each check on fresh servers. `from` and `to` choose checks by their place,
 * `full` 0 leaves out what other tests try and judges no times, `parallel` checks run at once.
 */
export function checksCampaign(summary: string, checks: Check[]) {
  return campaign({
    summary,
    options: { from: 1, to: checks.length, full: 1, parallel: 1 },
    run: async ({ from, to, full, parallel }, say) => {
      const chosen = checks.slice(from - 1, to).filter((it) => full === 1 || !it.triedBy);
      const waiting = [...chosen];
      const losses: string[] = [];
      const skips: string[] = [];
      const work = async () => {
        for (let check = waiting.shift(); check; check = waiting.shift()) {
          const start = performance.now();
          const { got, isOk, isSkipped } = await runCheck(check, full === 1);
          const seconds = ((performance.now() - start) / 1000).toFixed(1);
          const { finding, sentence, expected } = check;
          const word = isSkipped ? 'skip' : isOk ? 'ok  ' : 'LOSS';
          say(
            `${word} ${finding} ${sentence} (${seconds} s)\n         expected ${expected}; got ${got}`,
          );
          if (isSkipped) skips.push(finding);
          if (!isOk) losses.push(`${finding} ${sentence}: expected ${expected}; got ${got}`);
        }
      };
      await Promise.all(Array.from({ length: parallel }, work));
      const tried = chosen.length - skips.length;
      const findings = new Set(chosen.map(({ finding }) => finding)).size;
      return {
        figures: {
          findings,
          tried,
          held: tried - losses.length,
          ...(skips.length > 0 && { 'not tried': skips.join(', ') }),
        },
        losses,
      };
    },
  });
}

async function runCheck(check: Check, isTimed: boolean): Promise<Seen> {
  await using kit = createKit({ isTimed });
  return await check.run(kit).catch((error: unknown) => ({ got: String(error), isOk: false }));
}
