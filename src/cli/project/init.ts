import { relative, resolve } from 'node:path';
import { createProject } from '../../project/create.ts';
import { shellWord } from '../../utils/shell.ts';
import type { Command } from '../command.ts';

export const init: Command = {
  name: 'init',
  operand: '[DIR]',
  summary: 'Create a project with an example of a resource.',
  help: `Creates resources/notes.ts, tsconfig.json, .gitignore and .hutch/hutch.d.ts, the types of the
module 'hutch', in DIR (default: here). Existing files are never overwritten.`,
  flags: {},
  settings: [],
  run: async ({ operand = '.' }) => {
    const files = await createProject(operand);
    const path = relative(process.cwd(), resolve(operand));
    console.log(`Created ${files.join(', ')}.\n\nNext:`);
    if (path !== '') console.log(`  cd ${shellWord(path)}`);
    for (const [command, purpose] of NEXT) console.log(`  ${command.padEnd(14)}${purpose}`);
    return 0;
  },
};

const NEXT = [
  ['hutch dev', 'serves it and reloads when you save a file'],
  ['hutch check', 'checks types, contract and schema, also before a deployment'],
  ['hutch serve', 'serves it in production'],
  ['hutch build', 'makes one executable of it'],
] as const;
