import { loadConfig } from '../core/config/config.ts';
import { rehearse } from '../rehearsal.ts';
import type { Command } from './command.ts';
import { print } from './output.ts';
import { openProject } from './project/open.ts';

export const openapi: Command = {
  name: 'openapi',
  summary: 'Print the OpenAPI 3.1 document.',
  help: `Prints the document that a server would send at /openapi.json; no server is needed. Settings
that change the API, such as HUTCH_REGISTRATION, apply. The data directory is not used.`,
  flags: {},
  settings: ['resourcesDir'],
  run: async ({ flags }) => {
    const config = loadConfig(flags);
    const document = await rehearse(config, await openProject(config));
    await print(JSON.stringify(document, null, 2));
    return 0;
  },
};
