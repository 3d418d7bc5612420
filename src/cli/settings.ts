import { type EffectiveSetting, effectiveSettings } from '../core/config/config.ts';
import type { Setting } from '../core/config/setting.ts';
import { SETTINGS } from '../core/config/settings.ts';
import type { Command } from './command.ts';
import { print } from './output.ts';
import { table } from './table.ts';

const HEAD = `# Every setting with its default. Hutch reads the environment, not this file: copy it to .env for
# bun start, or to an EnvironmentFile of systemd or Docker. Secrets can be given as NAME_FILE too.
# Host names are resolved by /etc/hosts and the name servers of /etc/resolv.conf, not by NSS modules
# such as mDNS and nss-resolve.
`;
const HIDDEN = '********';

export const settings: Command = {
  name: 'settings',
  summary: 'Show every setting, its value and its source.',
  help: `Shows the values that hutch serve would use here: from the command line, the environment, a file
named by a …_FILE variable, or the default, in this order. Secrets are hidden. With --example it
prints .env.example: each HUTCH_ variable with its description, option and default.`,
  flags: {
    json: { help: 'Print a JSON array of {name, value, source, from}.' },
    example: { help: 'Print every setting with its default, as an environment file.' },
  },
  settings: ['host', 'port', 'dataDir', 'logLevel'],
  run: async ({ flags, switches }) => {
    if (switches.has('example')) await print(example().trimEnd());
    else await show(effectiveSettings(flags), switches.has('json'));
    return 0;
  },
};

async function show(all: readonly EffectiveSetting[], isJson: boolean): Promise<void> {
  const shown = all.map(({ setting: { env, secret }, value, source, from }) => {
    const isHidden = secret === true && value !== '';
    return { name: env, value: isHidden ? HIDDEN : value, source, from };
  });
  if (isJson) {
    await print(JSON.stringify(shown, null, 2));
    return;
  }
  const rows = shown.map(({ name, value, source, from }) => {
    return [name, String(value), source === 'default' ? source : `${source}: ${from}`];
  });
  await print(table(['NAME', 'VALUE', 'SOURCE'], rows));
}

function example(): string {
  return HEAD + Object.values(SETTINGS).map(entryOf).join('');
}

function entryOf({ env, flag, help, secret, default: value, shown }: Setting<unknown>): string {
  const more = [flag && `Also --${flag}.`, secret && `Also ${env}_FILE.`].filter(Boolean);
  return `\n# ${[help, ...more].join(' ')}\n#${env}=${shown ?? String(value)}\n`;
}
