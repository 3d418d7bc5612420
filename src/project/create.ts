import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { StartupError } from '../core/exceptions.ts';
import { refreshDeclarations } from './declarations.ts';
import gitignore from './template/gitignore.txt' with { type: 'text' };
import notes from './template/notes.txt' with { type: 'text' };
import tsconfig from './template/tsconfig.txt' with { type: 'text' };

const FILES: Record<string, string> = {
  'resources/notes.ts': notes,
  'tsconfig.json': tsconfig,
  '.gitignore': gitignore,
};

/**
 * Creates the files of a new project in `dir` and returns their paths below it. Throws StartupError
 * and writes nothing if one of them exists.
 */
export async function createProject(dir: string): Promise<string[]> {
  const paths = Object.keys(FILES);
  const existing = paths.filter((path) => existsSync(join(dir, path)));
  if (existing.length > 0) {
    throw new StartupError(
      `${existing.join(', ')} in ${dir} would be overwritten. Nothing was written.`,
    );
  }
  for (const [path, text] of Object.entries(FILES)) await Bun.write(join(dir, path), text);
  return [...paths, relative(dir, await refreshDeclarations(dir))];
}
