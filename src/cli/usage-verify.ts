import { type Command, configOf, openDeps } from './command.ts';

export const usageVerify: Command = {
  name: 'usage verify',
  summary: 'Compare the counted usage of accounts with what is stored.',
  help: `Each write counts what its account stores, for the quotas. This command counts everything again
and names the accounts whose count differs, with the difference. The status is 1 if there are
any, unless --repair is given. Works while a server is running.`,
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
      console.log(`Accounts that differ: ${drifts.length}${isRepair ? ', corrected.' : '.'}`);
      return drifts.length > 0 && !isRepair ? 1 : 0;
    } finally {
      await deps.close();
    }
  },
};
