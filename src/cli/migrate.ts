import { databasePath } from '../core/db/data-dir.ts';
import { prepareDb } from '../core/db/db.ts';
import type { Command } from './command.ts';
import { configOf } from './open.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database up to this version.',
  help: `hutch serve migrates too; this command is for a separate step of a deployment. All missing
migrations run in one transaction: either all of them are applied or none. A database of a newer
hutch is refused and not changed.`,
  flags: {},
  settings: ['dataDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const applied = prepareDb(databasePath(config.dataDir));
    console.log(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'Nothing to migrate.');
    return 0;
  },
};
