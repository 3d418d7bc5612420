import type { Setting } from '../core/setting.ts';
import { SETTINGS } from '../core/settings.ts';
import type { Command } from './command.ts';

const HEAD = `# Every setting with its default. Hutch reads the environment, not this file: copy it to .env for
# bun start, or to an EnvironmentFile of systemd or Docker. Secrets can be given as NAME_FILE too.
# Host names are looked up in /etc/hosts and by the name servers of /etc/resolv.conf; modules of NSS
# such as mDNS and nss-resolve are not asked.
`;

export const settings: Command = {
  name: 'settings',
  summary: 'Print every setting with its default.',
  help: `Prints what .env.example holds: each HUTCH_ variable, what it is for, its flag where it has
one, and its default.`,
  flags: {},
  settings: [],
  run: async () => {
    process.stdout.write(HEAD + Object.values(SETTINGS).map(entryOf).join(''));
    return 0;
  },
};

function entryOf({ env, flag, help, secret, default: value, shown }: Setting<unknown>): string {
  const more = [flag && `Also --${flag}.`, secret && `Also ${env}_FILE.`].filter(Boolean);
  return `\n# ${[help, ...more].join(' ')}\n#${env}=${shown ?? String(value)}\n`;
}
