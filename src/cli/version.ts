import type { Command } from './command.ts';
import { print } from './output.ts';
import { VERSION_LINE } from './program.ts';

export const version: Command = {
  name: 'version',
  summary: 'Print the version.',
  help: 'Prints the version of hutch and, in brackets, of the Bun inside it.',
  flags: {},
  settings: [],
  run: async () => {
    await print(VERSION_LINE);
    return 0;
  },
};
