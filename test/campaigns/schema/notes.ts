import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { newProject, type Project } from '../../process/folder/project.ts';

const AT = '2026-11-22T16:00:00.000Z';

const OLD = `import { resource, text } from 'hutch';

export const notes = resource('notes', {
  columns: { title: text({ max: 200 }).notNull(), color: text({ max: 20 }) },
  read: 'user',
  write: 'owner',
});
`;

/** A renamed column, a narrower one, a new one, indexes, and tables beside the rows. */
const NEW = `import { flag, resource, text } from 'hutch';

export const notes = resource('notes', {
  columns: {
    name: text({ max: 200 }).notNull(),
    color: text({ max: 10 }),
    pinned: flag().notNull().default(false),
  },
  read: 'user',
  write: 'owner',
  filter: ['color', 'pinned'],
  sort: ['name', 'created_at'],
  search: ['name'],
  history: true,
  bin: true,
  events: true,
  views: true,
});
`;

/** Creates a database with notes in `dataDir`. */
export async function createOld(dataDir: string, rows: number): Promise<void> {
  await migrate(newProject({ 'resources/notes.ts': OLD }), dataDir);
  using client = new Database(join(dataDir, 'hutch.db'));
  client.run(
    `insert into users (email, email_key, username, username_key, is_active, role, created_at,
     updated_at) values ('a@b.example', 'a@b.example', 'ada', 'ada', 1, 'user', '${AT}', '${AT}')`,
  );
  client.run(
    `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${rows})
     insert into notes (owner_id, title, color, created_at, updated_at)
     select 1, 'Note ' || n, 'red', '${AT}', '${AT}' from numbers`,
  );
  client.run('pragma wal_checkpoint(truncate)');
}

/** Creates the project that upgrades such a database, with the migration that hutch suggests. */
export async function createNew(dataDir: string): Promise<Project> {
  const project = newProject({ 'resources/notes.ts': NEW });
  const { stdout } = await project.run('migrate', '--json', '--data-dir', dataDir);
  const { refusals } = JSON.parse(stdout) as { refusals: { table: string; sql: string }[] };
  const sql = [...new Set(refusals.map((it) => it.sql))].join('\n');
  await project.write('migrations/0001_notes.sql', sql);
  return project;
}

async function migrate({ dir, run }: Project, dataDir: string): Promise<void> {
  const { status, stderr } = await run('migrate', '--data-dir', dataDir);
  if (status !== 0) throw new Error(`The project in ${dir} cannot be started: ${stderr}`);
}
