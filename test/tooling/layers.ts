import { importsOf } from './modules.ts';

/** A layer and its allowed imports, as path prefixes. The first layer with the file applies. */
interface Layer {
  files: string[];
  may: string[];
  /** Files from which only types may be imported. */
  mayTypesOf?: string[];
  /** Exceptions to `may`. */
  never?: string[];
}

export const LAYERS: Layer[] = [
  { files: ['src/utils/'], may: ['src/utils/'] },
  { files: ['src/models/'], may: ['src/models/'] },
  {
    files: ['src/schemas/'],
    may: ['src/schemas/', 'src/resources/declare/words.ts'],
    mayTypesOf: ['src/resources/declare/'],
  },
  {
    files: ['src/resources/'],
    may: ['src/resources/', 'src/models/', 'src/schemas/', 'src/utils/'],
    mayTypesOf: ['src/core/', 'src/services/'],
  },
  {
    files: ['src/core/deps.ts'],
    may: ['src/core/', 'src/resources/', 'src/services/', 'src/models/', 'src/utils/'],
  },
  {
    files: ['src/core/'],
    may: ['src/core/', 'src/models/', 'src/utils/', 'drizzle/', 'package.json'],
    never: ['src/core/deps.ts'],
  },
  {
    files: ['src/services/'],
    may: ['src/services/', 'src/core/', 'src/resources/', 'src/models/', 'src/utils/'],
    never: ['src/core/deps.ts'],
  },
  {
    files: ['src/api/v1/'],
    may: ['src/api/', 'src/resources/', 'src/schemas/', 'src/core/exceptions.ts'],
    mayTypesOf: ['src/core/actor.ts', 'src/core/deps.ts', 'src/services/'],
    never: ['src/api/v2/'],
  },
  {
    files: ['src/api/v2/'],
    may: ['src/api/', 'src/resources/', 'src/schemas/', 'src/core/exceptions.ts'],
    mayTypesOf: ['src/core/actor.ts', 'src/core/deps.ts', 'src/services/'],
    never: ['src/api/v1/'],
  },
  {
    files: ['src/api/'],
    may: ['src/api/', 'src/resources/', 'src/schemas/', 'src/core/', 'src/utils/'],
    mayTypesOf: ['src/core/deps.ts', 'src/services/'],
    never: ['src/api/v1/', 'src/api/v2/', 'src/core/deps.ts'],
  },
  {
    files: ['src/project/'],
    may: [
      'src/project/',
      'src/public.ts',
      'src/resources/',
      'src/utils/',
      'src/core/exceptions.ts',
      'src/core/db/schema/user-migrations.ts',
    ],
  },
  { files: ['src/client.ts', 'src/client/'], may: ['src/client/'], mayTypesOf: ['src/app.ts'] },
  {
    files: [
      'src/cli/',
      'src/app.ts',
      'src/dev-server.ts',
      'src/listen.ts',
      'src/rehearsal.ts',
      'src/server.ts',
      'src/index.ts',
    ],
    may: ['src/'],
    never: ['src/models/', 'src/schemas/', 'src/services/', 'src/client'],
  },
  { files: ['src/'], may: ['src/'] },
];

/** Packages that only some layers may import; `[]` means that src must not use them. */
const PACKAGES: Record<string, string[]> = {
  elysia: [
    'src/app.ts',
    'src/public.ts',
    'src/server.ts',
    'src/api/',
    'src/project/',
    'src/resources/',
    'src/schemas/',
  ],
  '@elysia/openapi': ['src/api/'],
  '@elysia/eden': [],
  'drizzle-orm': ['src/models/', 'src/project/', 'src/resources/', 'src/services/', 'src/core/'],
  'bun:sqlite': ['src/core/'],
  process: [],
  'node:process': [],
};

/** Returns a sentence for each import of the file at `path` that breaks a rule. */
export function brokenRules(path: string, source: string): string[] {
  const layer = LAYERS.find(({ files }) => startsWithOne(path, files));
  if (!layer) return [`${path} belongs to no layer`];
  const broken = importsOf(path, source)
    .filter(({ to, isTypeOnly }) => !isAllowed(layer, path, to, isTypeOnly))
    .map(({ to }) => `${path} may not import ${to}`);
  return [...broken, ...detoursOf(path, source), ...elysiaValues(path, source)];
}

function isAllowed(layer: Layer, path: string, to: string, isTypeOnly: boolean): boolean {
  const { may, mayTypesOf = [], never = [] } = layer;
  const isFile = to.includes('/') && /^(\.\.|src|test|bench|examples|drizzle)\//.test(to);
  if (!isFile && to !== 'package.json') return isPackageAllowed(path, to);
  if (isTypeOnly && startsWithOne(to, mayTypesOf)) return true;
  return startsWithOne(to, may) && !startsWithOne(to, never);
}

function isPackageAllowed(path: string, to: string): boolean {
  const name = Object.keys(PACKAGES).find((it) => to === it || to.startsWith(`${it}/`));
  return name === undefined || startsWithOne(path, PACKAGES[name] ?? []);
}

/** Returns non-canonical paths such as `./../core/db.ts`, which would hide their target. */
function detoursOf(path: string, source: string): string[] {
  const specifiers = [...source.matchAll(/from '(\.[^']*)'|import\('(\.[^']*)'\)/g)];
  return specifiers
    .map(([, static_, dynamic]) => static_ ?? dynamic ?? '')
    .filter((it) => /^\.\/\.\.|[\w-]\/\.\.\//.test(it))
    .map((it) => `${path} may not import through a detour: ${it}`);
}

/** Schemas import only `t` and types from Elysia. */
function elysiaValues(path: string, source: string): string[] {
  if (!path.startsWith('src/schemas/')) return [];
  return [...source.matchAll(/^(?:import|export) ([^']*) from 'elysia'/gm)]
    .flatMap(([, names = '']) => names.replace(/[{}]/g, '').split(','))
    .map((name) => name.trim())
    .filter((name) => name && name !== 't' && !name.startsWith('type '))
    .map((name) => `${path} may not import ${name} of elysia`);
}

const startsWithOne = (text: string, prefixes: string[]) =>
  prefixes.some((prefix) => text.startsWith(prefix));
