import { join } from 'node:path';
import type { Build } from 'bun';
import { buildTypes } from './build-types.ts';

/** Makes dist/hutch, or dist/hutch-<target> for `bun build.ts bun-linux-arm64` and the like. */
const [target] = Bun.argv.slice(2) as [Build.CompileTarget | undefined];
const outfile = `./dist/hutch${target ? target.replace('bun', '') : ''}`;

const result = await Bun.build({
  entrypoints: ['./src/index.ts'],
  target: 'bun',
  format: 'esm',
  bytecode: true,
  minify: true,
  sourcemap: 'linked',
  files: {
    [join(import.meta.dir, 'src/project/embedded-declarations.ts')]:
      `export const EMBEDDED = ${JSON.stringify(await buildTypes())};`,
  },
  compile: {
    outfile,
    autoloadDotenv: false,
    autoloadBunfig: false,
    // Finds the packages in the node_modules of a directory with resources.
    autoloadPackageJson: true,
    ...(target && { target }),
  },
});
for (const log of result.logs) console.error(log);
if (!result.success) process.exit(1);
console.log(outfile);
