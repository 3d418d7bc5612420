import { VERSION } from '../core/version.ts';
import type { Command } from './command.ts';

export const version: Command = {
  name: 'version',
  summary: 'Print the version.',
  help: 'Prints the version of hutch and, in brackets, of the Bun inside it.',
  flags: {},
  settings: [],
  run: async () => {
    console.log(`hutch ${VERSION} (bun ${Bun.version})`);
    return 0;
  },
};
