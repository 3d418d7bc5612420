import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { EntryPointConfig } from 'dts-bundle-generator';

const ENTRY = 'src/public.ts';
const CACHE = 'dist/hutch.d.ts';

/** The packages whose types are copied, so that a project needs none of them. */
const INLINED = [
  'elysia',
  '@sinclair/typebox',
  'drizzle-orm',
  'memoirist',
  'exact-mirror',
  'cookie',
  'openapi-types',
];

/** Returns the types that src/public.ts exports, in one file that needs no package, and stores them. */
export async function buildTypes(): Promise<string> {
  const text = await bundleTypes();
  const path = join(import.meta.dir, CACHE);
  await Bun.write(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return text;
}

/** Runs the bundler with TypeScript 5: TypeScript 7 has no API in JavaScript. */
async function bundleTypes(): Promise<string> {
  const typescript = await import('typescript-5');
  await Bun.plugin({
    name: 'typescript-5',
    setup: (build) => {
      build.module('typescript', () => ({ exports: typescript, loader: 'object' }));
    },
  });
  const { generateDtsBundle } = await import('dts-bundle-generator');
  const entry: EntryPointConfig = {
    filePath: join(import.meta.dir, ENTRY),
    libraries: { inlinedLibraries: INLINED },
    output: { exportReferencedTypes: false, noBanner: true },
  };
  const [text = ''] = generateDtsBundle([entry], { preferredConfigPath: await configFile() });
  return text;
}

/** Writes the settings of the compiler: `tsc` checks the sources, so the bundler need not. */
async function configFile(): Promise<string> {
  const path = join(import.meta.dir, 'dist/tsconfig.types.json');
  const config = { extends: '../tsconfig.json', compilerOptions: { noCheck: true }, include: [] };
  await Bun.write(path, JSON.stringify(config));
  return path;
}

if (import.meta.main) await buildTypes();
