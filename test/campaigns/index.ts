/** `bun run campaign <name> [--option N]…`: runs one campaign and ends with 1 when it finds a loss. */
import { describeMachine } from '../../bench/machine.ts';
import { tempDir } from '../support.ts';
import { type Campaign, readOptions } from './campaign.ts';

// Campaigns judge the product: the compiled binary, unless another one is named.
process.env['BINARY'] ??= 'dist/hutch';

/** Loaded when they are run: each reads which binary to start. */
const CAMPAIGNS: Record<string, () => Promise<Campaign>> = {
  faults: async () => (await import('./faults.ts')).faults,
  field: async () => (await import('./field/field.ts')).field,
  hostile: async () => (await import('./hostile/hostile.ts')).hostile,
  kill9: async () => (await import('./kill9.ts')).kill9,
  power: async () => (await import('./power/power.ts')).power,
  overload: async () => (await import('./load/overload.ts')).overload,
  'schema-upgrade': async () => (await import('./schema/schema-upgrade.ts')).schemaUpgrade,
  soak: async () => (await import('./load/soak.ts')).soak,
};

const [name = '', ...args] = Bun.argv.slice(2);
const load = CAMPAIGNS[name];
process.exit(load ? await runCampaign(await load()) : await overview());

async function runCampaign(campaign: Campaign): Promise<number> {
  const options = readOptions(campaign.options, args);
  console.log(`${name}: ${campaign.summary}`);
  const [machine, disk] = describeMachine(tempDir());
  console.log(`  ${machine}\n  ${disk}`);
  console.log(`  options ${JSON.stringify(options)}`);
  const start = performance.now();
  const { figures, losses } = await campaign.run(options, (line) => console.log(`  ${line}`));
  const seconds = Math.round((performance.now() - start) / 1000);
  for (const [figure, value] of Object.entries(figures)) console.log(`  ${figure}: ${value}`);
  for (const loss of losses) console.log(`  LOSS: ${loss}`);
  console.log(`${name}: ${losses.length === 0 ? 'held' : `${losses.length} losses`}, ${seconds} s`);
  return losses.length === 0 ? 0 : 1;
}

async function overview(): Promise<number> {
  if (name !== '') console.error(`There is no campaign ${name}.`);
  console.log('bun run campaign <name> [--option N]…\n');
  for (const [each, loadOne] of Object.entries(CAMPAIGNS)) {
    const { summary, options } = await loadOne();
    const flags = Object.entries(options).map(([flag, value]) => `--${flag} ${value}`);
    console.log(`${each.padEnd(10)} ${summary}\n${' '.repeat(11)}${flags.join(' ')}`);
  }
  return name === '' ? 0 : 2;
}
