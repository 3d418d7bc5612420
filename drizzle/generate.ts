/**
 * Lists the files of src/models in its index, generates the migration NAME from them and from the
 * resources that src/resources/index.ts names, and adds what drizzle-kit does not support: STRICT
 * tables, WITHOUT ROWID for keys of several columns, and the full-text indexes of resources.
 */
import { missingObjects, readMigrations } from './side-objects.ts';

const folder = import.meta.dir;
const models = `${folder}/../src/models`;
const [name = ''] = Bun.argv.slice(2);

if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('Usage: bun run db:generate NAME, such as notes or notes_color');
  process.exit(2);
}
const files = [...new Bun.Glob('*.ts').scanSync(models)].filter((it) => it !== 'index.ts').sort();
const exported = files.map((it) => `export * from './${it}';\n`).join('');
await Bun.write(`${models}/index.ts`, `// Written by bun run db:generate.\n${exported}`);

const before = readMigrations(folder);
generate('--name', name);

for (const path of new Bun.Glob('*.sql').scanSync(folder)) {
  const file = Bun.file(`${folder}/${path}`);
  const text = await file.text();
  const marked = text.replace(
    /^\tPRIMARY KEY\(.*\)(,\n.*)*\n\);$/gm,
    (end) => `${end.slice(0, -1)} STRICT, WITHOUT ROWID;`,
  );
  await file.write(marked.replace(/^\);$/gm, ') STRICT;'));
}

const missing = missingObjects(before, readMigrations(folder));
if (missing.length > 0) {
  if (readMigrations(folder).length === before.length) generate('--custom', '--name', name);
  const after = readMigrations(folder);
  const { tag, sql } = after.at(-1) as (typeof after)[number];
  const statements = sql.startsWith('-- Custom SQL') ? [] : [sql.trimEnd()];
  const all = [...statements, ...missing.map((it) => `${it};`)];
  await Bun.write(`${folder}/${tag}.sql`, `${all.join('\n--> statement-breakpoint\n')}\n`);
}

/** Runs drizzle-kit, and ends this process if it fails. */
function generate(...options: string[]): void {
  const command = ['drizzle-kit', 'generate', ...options];
  const { exitCode } = Bun.spawnSync(command, { stdout: 'inherit', stderr: 'inherit' });
  if (exitCode !== 0) process.exit(exitCode);
}
