import { join } from 'node:path';
import { EMBEDDED } from './embedded-declarations.ts';

/** Returns the types of the module 'hutch', in one file that imports nothing. */
async function declarations(): Promise<string> {
  return EMBEDDED === '' ? fromSource() : EMBEDDED;
}

/**
 * Writes the types of 'hutch' into the project in `dir` if it has none, or those of another version,
 * and returns their path.
 */
export async function refreshDeclarations(dir: string): Promise<string> {
  const path = join(dir, '.hutch', 'hutch.d.ts');
  const file = Bun.file(path);
  const text = await declarations();
  if (!(await file.exists()) || (await file.text()) !== text) await Bun.write(path, text);
  return path;
}

/** Returns the types that the last build of a clone stored; makes them if there are none. */
async function fromSource(): Promise<string> {
  const clone = join(import.meta.dir, '../..');
  const file = Bun.file(join(clone, 'dist/hutch.d.ts'));
  if (!(await file.exists())) {
    const child = Bun.spawn([process.execPath, join(clone, 'build-types.ts')]);
    if ((await child.exited) !== 0) throw new Error('build-types.ts failed.');
  }
  return file.text();
}
