import { clientTypes, type Document } from '../../api/client-types/client-types.ts';
import { rehearse } from '../../rehearsal.ts';
import type { Command } from '../command.ts';
import { configOf } from '../open.ts';
import { openProject } from './open.ts';

export const types: Command = {
  name: 'types',
  summary: 'Print the client types of the resources.',
  help: `Prints a declaration file for another repository that calls this server with the package
hutch-client: hutch types > hutch-types.d.ts.`,
  flags: {},
  settings: ['resourcesDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const project = await openProject(config);
    const document = await rehearse<Document>(config, project);
    const definitions = Object.values(project.resources).map(({ definition }) => definition);
    process.stdout.write(clientTypes(document, definitions));
    return 0;
  },
};
