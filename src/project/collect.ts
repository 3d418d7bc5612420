import { readFileSync } from 'node:fs';
import { StartupError } from '../core/exceptions.ts';
import type { Resource } from '../resources/declare/definition.ts';
import type { Resources } from './project.ts';

/** A file of a project after its import. */
export interface LoadedModule {
  /** The path as messages show it, such as `resources/notes.ts`. */
  file: string;
  path: string;
  exports: Record<string, unknown>;
}

/**
 * Returns the resources that the modules export. Throws StartupError with the file and line of each
 * fault: a file without a resource, or a name that another resource has.
 */
export function collect(modules: readonly LoadedModule[]): Resources {
  const found = new Map<string, { resource: Resource; file: string }>();
  const faults: string[] = [];
  for (const module of modules) {
    const own = Object.values(module.exports).filter(isResource);
    if (own.length === 0) faults.push(withoutResource(module));
    for (const resource of own) {
      const { name } = resource;
      const earlier = found.get(name);
      const place = placeOfName(module, name);
      if (earlier && earlier.resource !== resource) {
        faults.push(`${place}: The resource "${name}" is also declared in ${earlier.file}.`);
      } else {
        found.set(name, { resource, file: module.file });
      }
    }
  }
  if (faults.length > 0) throw new StartupError(faults.join('\n'));
  return Object.fromEntries([...found].map(([name, { resource }]) => [name, resource]));
}

function withoutResource({ file, exports }: LoadedModule): string {
  const names = Object.keys(exports);
  const found = names.length > 0 ? `It exports ${names.join(', ')}.` : 'It exports nothing.';
  return `${file}:1: This file exports no resource: export const notes = resource('notes', { … }). ${found} Files with other code belong in a folder, or begin with _.`;
}

function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null || !('definition' in value)) return false;
  const { definition } = value as Resource;
  return typeof definition === 'object' && 'table' in definition;
}

/** Returns the place where a module names a resource; line 1 if it is not written there. */
function placeOfName({ file, path }: LoadedModule, name: string): string {
  const lines = sourceOf(path).split('\n');
  const pattern = new RegExp(`resource\\(\\s*['"\`]${RegExp.escape(name)}['"\`]`);
  const index = lines.findIndex((line) => pattern.test(line));
  return `${file}:${Math.max(index, 0) + 1}`;
}

function sourceOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
