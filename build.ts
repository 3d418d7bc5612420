import type { Build } from 'bun';

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
  compile: {
    outfile,
    autoloadDotenv: false,
    autoloadBunfig: false,
    ...(target && { target }),
  },
});
for (const log of result.logs) console.error(log);
if (!result.success) process.exit(1);
console.log(outfile);
