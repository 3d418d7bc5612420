/** Makes every table that drizzle-kit generated STRICT, which drizzle-kit cannot say itself. */
const folder = import.meta.dir;

for (const name of new Bun.Glob('*.sql').scanSync(folder)) {
  const file = Bun.file(`${folder}/${name}`);
  const text = await file.text();
  await file.write(text.replace(/^\);$/gm, ') STRICT;'));
}
