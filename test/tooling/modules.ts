import { join, normalize } from 'node:path';

/** One module that a file imports or re-exports. */
export interface Import {
  /** The imported file as a path from the project root, or the name of a package. */
  to: string;
  /** True if the import does not exist at run time. */
  isTypeOnly: boolean;
}

const transpiler = new Bun.Transpiler({ loader: 'ts' });

/**
 * Returns the imports of the TypeScript file at `path`, including types. Bun's scanner skips types,
 * so it scans a second time without the `type` keywords.
 */
export function importsOf(path: string, source: string): Import[] {
  const atRunTime = scan(source);
  const all = scan(
    source
      .replace(/^(import type (?=[{*\w])|export type (?=[{*]))/gm, (it) => it.slice(0, 7))
      .replace(/^(import|export) (?:\w+, )?\{[^}]*\}/gm, (it) => it.replace(/\btype (?=\w)/g, '')),
  );
  return [...all].map((specifier) => ({
    to: /^\.\.?\//.test(specifier) ? normalize(join(path, '..', specifier)) : specifier,
    isTypeOnly: !atRunTime.has(specifier),
  }));
}

const scan = (source: string) =>
  new Set(transpiler.scanImports(source.replace(/^#!/, '//')).map(({ path }) => path));

/** Returns the texts of all TypeScript files in `folder` of the project at `root`, by path. */
export async function readModules(root: string, folder: string): Promise<Map<string, string>> {
  const paths = await Array.fromAsync(new Bun.Glob(`${folder}/**/*.ts`).scan({ cwd: root }));
  const texts = paths.sort().map(async (path) => [path, await Bun.file(join(root, path)).text()]);
  return new Map((await Promise.all(texts)) as [string, string][]);
}
