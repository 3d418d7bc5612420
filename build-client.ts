import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clientDeclarations } from './build-client-types.ts';
import pkg from './package.json';

const ENTRY = 'src/client.ts';
const OWN = 'src/client/';

const README = `# hutch-client

A typed client for a Hutch server, in browsers, Node and Bun. It has no dependencies. Its types
need \`fetch\` to be declared: by TypeScript's own "dom" library, @types/node or @types/bun.

    import { createClient, orThrow, pages, subscribe } from 'hutch-client';

    const hutch = createClient('http://127.0.0.1:3000', { token: () => token });

    const { data, error } = await hutch.v2.items({ item_id: 7 }).get();
    if (error?.status === 404) console.log(error.value.detail);

    const item = orThrow(await hutch.v2.items.post({ title: 'A warm hutch' }));
    for await (const each of pages(hutch.v2.items)) console.log(each.title);
    for await (const { event, data } of subscribe(hutch.v2.items.events)) console.log(event, data);
    await hutch.v2.items.import.post(file, { query: { format: 'csv' } });

A call throws nothing for what the server or the network does: \`error.status\` says what
\`error.value\` is; it is 0 when there was no usable response, and \`error.kind\` says why. An
error is a HutchError, whose message can be shown and logged.
`;

/** Makes the package that a project installs, in `outDir`, from what src/client.ts exports. */
export async function buildClient(outDir: string): Promise<void> {
  const [script, types] = await Promise.all([bundle(), clientDeclarations()]);
  await rm(outDir, { recursive: true, force: true });
  const manifest = {
    name: 'hutch-client',
    version: pkg.version,
    description: 'A typed client for a Hutch server.',
    license: pkg.license,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    files: ['index.js', 'index.d.ts'],
  };
  await Promise.all([
    Bun.write(join(outDir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`),
    Bun.write(join(outDir, 'index.js'), script),
    Bun.write(join(outDir, 'index.d.ts'), types),
    Bun.write(join(outDir, 'README.md'), README),
    Bun.write(join(outDir, 'LICENSE'), Bun.file('LICENSE')),
  ]);
}

/** src/client.ts as one module. Throws if anything but src/client came in. */
async function bundle(): Promise<string> {
  const { outputs, metafile } = await Bun.build({
    entrypoints: [ENTRY],
    target: 'browser',
    metafile: true,
  });
  const paths = Object.keys(metafile?.inputs ?? {});
  const foreign = paths.find((path) => path !== ENTRY && !path.startsWith(OWN));
  if (foreign) throw new Error(`The client contains ${foreign}.`);
  return (await outputs[0]?.text()) ?? '';
}

/** Sizes of the built files, as they are and as they travel. */
async function sizes(outDir: string): Promise<string> {
  const lines = ['index.js', 'index.d.ts'].map(async (name) => {
    const bytes = await Bun.file(join(outDir, name)).bytes();
    const kb = (length: number) => `${(length / 1000).toFixed(1)} kB`;
    return `${join(outDir, name)}: ${kb(bytes.length)}, gzip ${kb(Bun.gzipSync(bytes).length)}`;
  });
  return (await Promise.all(lines)).join('\n');
}

if (import.meta.main) {
  await buildClient('dist/client');
  console.log(await sizes('dist/client'));
}
