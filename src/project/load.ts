import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { readUserMigrations } from '../core/db/schema/user-migrations.ts';
import { StartupError } from '../core/exceptions.ts';
import { reasonOf } from '../utils/system-error.ts';
import { type BundleEntry, bundle } from './bundle.ts';
import { collect, type LoadedModule } from './collect.ts';
import { faultOf } from './faults.ts';
import { provideModules } from './modules.ts';
import type { Project } from './project.ts';

/** A project that was loaded from a directory. */
export interface LoadedProject extends Project {
  /** The directory that contains the directory of resources. */
  root: string;
  /** The absolute paths of the files that it was loaded from. */
  files: string[];
}

/** A file is a resource unless its name begins with `_` or `.`, or it only has types or tests. */
const RESOURCE_FILE = /^[^_.].*(?<!\.d|\.test)\.ts$/;

/** Returns the directory of the project whose resources are in `dir`. */
export function rootOf(dir: string): string {
  return dirname(resolve(dir));
}

/** Returns the absolute paths of the files in `dir` that declare resources, sorted. */
export function resourceFiles(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => RESOURCE_FILE.test(name));
    return names.toSorted().map((name) => join(resolve(dir), name));
  } catch (error) {
    throw new StartupError(`The resources in ${dir} cannot be read: ${reasonOf(error)}.`);
  }
}

/**
 * Loads the resources that the files in `dir` export. Files that were loaded before are read again.
 * Throws StartupError with the file and line of each fault.
 */
export async function loadProject(dir: string): Promise<LoadedProject> {
  const root = rootOf(dir);
  const paths = resourceFiles(dir);
  if (paths.length === 0) {
    throw new StartupError(`${dir} has no resources: hutch init creates an example.`);
  }
  await provideModules();
  const bundled = await bundle(bundleEntry(root, paths), root);
  const files = bundled.files.map((file) => resolve(root, file));
  forget(root, files);
  const modules = await importAll(paths, root);
  return {
    root,
    resources: collect(modules),
    migrations: readUserMigrations(join(root, 'migrations')),
    files,
  };
}

/** Returns true if there is a directory of resources. */
export function hasProject(dir: string): boolean {
  return existsSync(dir);
}

/** Returns a module that exports each of the files as `file0`, `file1` and so on. */
export function bundleEntry(root: string, paths: readonly string[]): BundleEntry {
  const lines = paths.map(
    (path, index) => `export * as file${index} from ${JSON.stringify(path)};`,
  );
  return { path: join(root, 'hutch-resources.ts'), code: lines.join('\n') };
}

async function importAll(paths: readonly string[], root: string): Promise<LoadedModule[]> {
  const modules: LoadedModule[] = [];
  for (const path of paths) {
    try {
      modules.push({ file: relative(root, path), path, exports: await import(path) });
    } catch (error) {
      throw new StartupError(faultOf(error, root) ?? `${relative(root, path)}: ${String(error)}`);
    }
  }
  return modules;
}

/** Makes the next import read the project's own files again. Packages stay as they are. */
function forget(root: string, files: readonly string[]): void {
  // A module that threw is not listed, but it is cached.
  for (const path of [...Object.keys(require.cache), ...files]) {
    const isOwn = path.startsWith(root + sep) && !path.includes(`${sep}node_modules${sep}`);
    if (isOwn) delete require.cache[path];
  }
}
