/**
 * Says of the tables that drizzle-kit generated what it cannot say itself: that they are STRICT
 * and, of those with a key of several columns, that the key is the table (WITHOUT ROWID).
 */
const folder = import.meta.dir;

for (const name of new Bun.Glob('*.sql').scanSync(folder)) {
  const file = Bun.file(`${folder}/${name}`);
  const text = await file.text();
  const marked = text.replace(
    /^\tPRIMARY KEY\(.*\)(,\n.*)*\n\);$/gm,
    (end) => `${end.slice(0, -1)} STRICT, WITHOUT ROWID;`,
  );
  await file.write(marked.replace(/^\);$/gm, ') STRICT;'));
}
