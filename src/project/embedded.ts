import { collect } from './collect.ts';
import type { Payload } from './executable.ts';
import { provideModules } from './modules.ts';
import type { Project } from './project.ts';

const SPECIFIER = 'hutch:resources';

/** Returns the project that an executable carries. */
export async function embeddedProject({ code, files, migrations }: Payload): Promise<Project> {
  await provideModules();
  await Bun.plugin({
    name: 'hutch-embedded',
    setup: (build) => {
      build.module(SPECIFIER, () => ({ contents: code, loader: 'js' }));
    },
  });
  const exports = (await import(SPECIFIER)) as Record<string, Record<string, unknown>>;
  const modules = files.map((file, index) => {
    return { file, path: file, exports: exports[`file${index}`] ?? {} };
  });
  return { resources: collect(modules), migrations };
}
