import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, hutch, type ServeOptions, serve } from '../hutch.ts';

export type Project = ReturnType<typeof newProject>;

/** A new directory for a project, and the commands in it. */
export function newProject(files: Record<string, string> = {}) {
  const dir = tempDir();
  const write = async (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    await Bun.write(join(dir, path), text);
  };
  const ready = Promise.all(Object.entries(files).map(([path, text]) => write(path, text)));
  const start = async (command: 'serve' | 'dev', options: ServeOptions = {}) => {
    await ready;
    const env = { ...ADMIN.env, ...options.env };
    return serve(join(dir, 'data'), { ...options, command, cwd: dir, env });
  };
  return {
    dir,
    write,
    remove: (path: string) => rmSync(join(dir, path)),
    read: (path: string) => Bun.file(join(dir, path)).text(),
    has: (path: string) => Bun.file(join(dir, path)).exists(),
    /** Runs a command in the directory to its end. */
    run: async (...args: string[]) => {
      await ready;
      return hutch(args, { cwd: dir });
    },
    serve: (options?: ServeOptions) => start('serve', options),
    dev: (options?: ServeOptions) => start('dev', options),
  };
}

/** The source of a resource with a title; `more` are further options. */
export function notesSource(more = '', columns = ''): string {
  return `import { resource, text } from 'hutch';

export const notes = resource('notes', {
  columns: { title: text({ min: 1, max: 200 }).notNull(),${columns} },
  read: 'owner',
  write: 'owner',
  filter: ['title'],
  sort: ['title', 'created_at'],
  ${more}
});
`;
}

/** Sends JSON to a running server and returns the status and the parsed body. */
export async function call(url: string, token: string, method: string, body?: unknown) {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
