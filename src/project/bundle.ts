import { dirname } from 'node:path';
import type { BuildConfig, BunPlugin } from 'bun';
import { StartupError } from '../core/exceptions.ts';
import { faultOf } from './faults.ts';
import { provideModules } from './modules.ts';

/** A module that exists only in memory; `path` says from where it imports others. */
export interface BundleEntry {
  path: string;
  code: string;
}

/** A module in JavaScript, and the files that it contains. */
export interface Bundle {
  code: string;
  /** The absolute paths of the project's files, without packages. */
  files: string[];
}

/**
 * Bundles `entry` with the project's files. Throws StartupError with the place of each syntax error,
 * missing file, missing package and missing export of 'hutch'.
 *
 * Packages stay outside unless `hasPackages`. The modules of the binary always do.
 */
export async function bundle(
  entry: BundleEntry,
  root: string,
  { hasPackages = false } = {},
): Promise<Bundle> {
  const modules = await provideModules();
  const options: BuildConfig = {
    entrypoints: [entry.path],
    files: { [entry.path]: entry.code },
    root,
    target: 'bun',
    format: 'esm',
    sourcemap: hasPackages ? 'inline' : 'none',
    metafile: true,
    throw: false,
  };
  // The first pass knows what each module exports; in the second they stay imports.
  const checked = await Bun.build({ ...options, plugins: [checking(modules, root)] });
  refuseFaults(checked.logs, root);
  const files = Object.keys(checked.metafile?.inputs ?? {});
  if (!hasPackages) return { code: '', files };
  const result = await Bun.build({ ...options, external: Object.keys(modules) });
  refuseFaults(result.logs, root);
  return { code: (await result.outputs[0]?.text()) ?? '', files };
}

function refuseFaults(logs: readonly (BuildMessage | ResolveMessage)[], root: string): void {
  const faults = logs.filter(({ level }) => level === 'error');
  if (faults.length === 0) return;
  throw new StartupError(faults.map((it) => faultOf(it, root) ?? it.message).join('\n'));
}

/** Answers imports of the binary's modules with their names, and leaves out packages that exist. */
function checking(modules: Record<string, Record<string, unknown>>, root: string): BunPlugin {
  return {
    name: 'hutch-check',
    setup: (build) => {
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
        if (path in modules) return { path, namespace: 'hutch-module' };
        if (path.startsWith('node:') || path.startsWith('bun:') || path === 'bun') return undefined;
        return isInstalled(path, importer || root) ? { path, external: true } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'hutch-module' }, ({ path }) => ({
        contents: namesOf(modules[path] ?? {}),
        loader: 'js',
      }));
    },
  };
}

function isInstalled(specifier: string, importer: string): boolean {
  try {
    Bun.resolveSync(specifier, dirname(importer));
    return true;
  } catch {
    return false;
  }
}

function namesOf(module: Record<string, unknown>): string {
  const names = Object.keys(module).filter((name) => name !== 'default');
  const own = names.length > 0 ? `export let ${names.join(', ')};` : '';
  return 'default' in module ? `${own}\nexport default undefined;` : own;
}
