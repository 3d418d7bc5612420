/** The modules that the binary provides to a project, by their specifiers. */
type Provided = Record<string, Record<string, unknown>>;

let provided: Promise<Provided> | undefined;

/**
 * Makes the modules of the binary importable: 'hutch', and the libraries whose instances a project
 * must share with it. They take precedence over a node_modules folder. Does so once.
 */
export function provideModules(): Promise<Provided> {
  provided ??= register();
  return provided;
}

async function register(): Promise<Provided> {
  const modules: Provided = {
    hutch: await import('../public.ts'),
    elysia: await import('elysia'),
    '@sinclair/typebox': await import('@sinclair/typebox'),
    'drizzle-orm': await import('drizzle-orm'),
    'drizzle-orm/sqlite-core': await import('drizzle-orm/sqlite-core'),
  };
  await Bun.plugin({
    name: 'hutch',
    setup: (build) => {
      for (const [name, exports] of Object.entries(modules)) {
        build.module(name, () => ({ exports: { ...exports }, loader: 'object' }));
      }
    },
  });
  return modules;
}
