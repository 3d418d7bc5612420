/**
 * Lists the files of src/models in its index, generates the migration NAME from them and from the
 * resources that src/resources/index.ts names, and adds what drizzle-kit does not support: STRICT
 * tables, and WITHOUT ROWID for keys of several columns.
 */
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

const command = ['drizzle-kit', 'generate', '--name', name];
const { exitCode } = Bun.spawnSync(command, { stdout: 'inherit', stderr: 'inherit' });
if (exitCode !== 0) process.exit(exitCode);

for (const path of new Bun.Glob('*.sql').scanSync(folder)) {
  const file = Bun.file(`${folder}/${path}`);
  const text = await file.text();
  const marked = text.replace(
    /^\tPRIMARY KEY\(.*\)(,\n.*)*\n\);$/gm,
    (end) => `${end.slice(0, -1)} STRICT, WITHOUT ROWID;`,
  );
  await file.write(marked.replace(/^\);$/gm, ') STRICT;'));
}
