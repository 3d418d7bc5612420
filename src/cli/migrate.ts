import { join } from 'node:path';
import { databasePath } from '../core/db/data-dir.ts';
import { previewUpgrade, upgradeDb } from '../core/db/db.ts';
import { SchemaRefusal, type Upgrade } from '../core/db/schema/upgrade.ts';
import { folderSchemaOf } from '../core/deps.ts';
import type { Command } from './command.ts';
import { configOf } from './open.ts';
import { openProject } from './project/open.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database up to this version and to the declared resources.',
  help: `hutch serve migrates too; this command is for a separate step of a deployment. All changes run
in one transaction: either all of them are applied or none. First the missing migrations of this
version, then those of the folder migrations, then what the declared resources add: tables, columns
and indexes. A change that drops or narrows data is refused with the SQL for a migration. A database
of a newer hutch is refused and not changed. With --dry-run the command only reads the definitions of
the database, even next to a running server; a failure that depends on rows shows at the real run.`,
  flags: {
    'dry-run': { help: 'Show what would be applied, and change nothing.' },
    json: { help: 'Print the result as JSON.' },
  },
  settings: ['dataDir', 'resourcesDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const { dataDir } = config;
    const isDryRun = invocation.switches.has('dry-run');
    const isJson = invocation.switches.has('json');
    const folder = folderSchemaOf(await openProject(config));
    try {
      const upgrade = isDryRun
        ? previewUpgrade(join(dataDir, 'hutch.db'), folder)
        : upgradeDb(databasePath(dataDir), folder);
      const result = { is_applied: !isDryRun, ...upgrade, refusals: [] };
      console.log(isJson ? JSON.stringify(result, null, 2) : describe(upgrade, isDryRun));
      return 0;
    } catch (error) {
      if (!(isJson && error instanceof SchemaRefusal)) throw error;
      const { refusals } = error;
      console.log(JSON.stringify({ is_applied: false, refusals }, null, 2));
      return 1;
    }
  },
};

function describe({ core, migrations, steps, notices }: Upgrade, isDryRun: boolean): string {
  const verb = isDryRun ? 'Would apply' : 'Applied';
  const files = migrations.map((tag) => `migrations/${tag}.sql`);
  const lines = [
    ...[core, files].filter((it) => it.length > 0).map((it) => `${verb} ${it.join(', ')}.`),
    ...(steps.length > 0 ? [`${verb}:`, ...steps.map((step) => `${step};`)] : []),
  ];
  return [...(lines.length > 0 ? lines : ['Nothing to migrate.']), ...notices].join('\n');
}
