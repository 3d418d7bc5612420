import type { Command } from './command.ts';
import { configOf, openDeps } from './open.ts';
import { print } from './output.ts';

export const usageVerify: Command = {
  name: 'usage verify',
  summary: 'Compare the counted usage of accounts with their stored data.',
  help: `Each write updates the counts that quotas use. This command counts everything again and lists
the accounts whose counts differ, with the difference. The exit status is 1 if there are any,
unless --repair is given. Works while a server is running.`,
  flags: { repair: { help: 'Correct the counts.' } },
  settings: ['dataDir'],
  run: async (invocation) => {
    const isRepair = invocation.switches.has('repair');
    const deps = openDeps(configOf(invocation));
    try {
      const drifts = await deps.usageCheck.find();
      for (const { user_id, ...missing } of drifts) {
        console.error(`Account ${user_id}: ${JSON.stringify(missing)}`);
      }
      if (isRepair) await deps.usageCheck.repair(drifts);
      await print(`Accounts that differ: ${drifts.length}${isRepair ? ', corrected.' : '.'}`);
      return drifts.length > 0 && !isRepair ? 1 : 0;
    } finally {
      await deps.close();
    }
  },
};
