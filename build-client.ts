import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Glob } from 'bun';
import {
  API,
  NodeBuilderFlags,
  type Project,
  SymbolFlags,
  type Type,
} from 'typescript/unstable/async';
import pkg from './package.json';

const ENTRY = 'src/client.ts';
const EDEN = 'node_modules/@elysia/eden/';

/** Whole, a property a line, and an alias by its name alone wherever it is declared. */
const PRINTED =
  NodeBuilderFlags.NoTruncation |
  NodeBuilderFlags.MultilineObjectLiterals |
  NodeBuilderFlags.InTypeAlias |
  NodeBuilderFlags.UseAliasDefinedOutsideCurrentScope;

/** What each call takes unless its route says more, as it is printed. */
const CALL_OPTIONS = `{
    fetch?: RequestInit;
    throwHttpError?: ThrowHttpError;
    headers?: Record<string, unknown>;
    query?: Record<string, unknown>;
}`;

/** The part of Eden's own types that the printed ones refer to. */
const EDEN_TYPES = `type SuccessCode = 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208 | 226;

/** Whether to throw what is answered with an error status, instead of returning it. */
export type ThrowHttpError = boolean | ((error: EdenFetchError) => boolean);
export interface EdenFetchError extends Error {
  status: number;
  value: unknown;
}

/** What a call gives: \`data\`, or \`error\` with a \`value\` typed by its \`status\`. */
export type TreatyResponse<Res extends Record<number, unknown>> =
  | {
      data: Extract<keyof Res, SuccessCode> extends never
        ? unknown
        : Res[Extract<keyof Res, SuccessCode>];
      error: null;
      response: Response;
      status: number;
      headers: ResponseInit['headers'];
    }
  | {
      data: null;
      error: Exclude<keyof Res, SuccessCode> extends never
        ? { status: unknown; value: unknown }
        : {
            [Status in keyof Res]: { status: Status; value: Res[Status] };
          }[Exclude<keyof Res, SuccessCode>];
      response: Response;
      status: number;
      headers: ResponseInit['headers'];
    };`;

const README = `# hutch-client

A typed client for a Hutch server, in browsers, Node and Bun. It has no dependencies. Its types
need \`fetch\` to be declared: by TypeScript's own "dom" library, @types/node or @types/bun.

    import { createClient } from 'hutch-client';

    const client = createClient('http://127.0.0.1:3000', { token: () => token });
    const { data, error } = await client.api.v1.items({ item_id: 7 }).get();

Nothing is thrown for what the server answers: \`error.status\` says what \`error.value\` is.
`;

/** Makes the package that a project installs, in `outDir`, from what src/client.ts exports. */
export async function buildClient(outDir: string): Promise<void> {
  const [script, types] = await Promise.all([bundle(), declarations()]);
  await rm(outDir, { recursive: true, force: true });
  const manifest = {
    name: 'hutch-client',
    version: pkg.version,
    description: 'A typed client for a Hutch server.',
    license: pkg.license,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    files: ['index.js', 'index.d.ts', 'LICENSE-eden'],
  };
  await Promise.all([
    Bun.write(join(outDir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`),
    Bun.write(join(outDir, 'index.js'), script),
    Bun.write(join(outDir, 'index.d.ts'), types),
    Bun.write(join(outDir, 'README.md'), README),
    Bun.write(join(outDir, 'LICENSE'), Bun.file('LICENSE')),
    Bun.write(join(outDir, 'LICENSE-eden'), Bun.file(`${EDEN}LICENSE`)),
  ]);
}

/** src/client.ts and Eden as one module. Throws if anything else came in. */
async function bundle(): Promise<string> {
  const { outputs, metafile } = await Bun.build({
    entrypoints: [ENTRY],
    target: 'browser',
    metafile: true,
    banner: '// Contains @elysia/eden: see LICENSE-eden.',
  });
  const paths = Object.keys(metafile?.inputs ?? {});
  const foreign = paths.find((path) => path !== ENTRY && !path.includes(EDEN));
  if (foreign) throw new Error(`The client contains ${foreign}.`);
  return (await outputs[0]?.text()) ?? '';
}

/**
 * The types that src/client.ts exports, in one file that imports nothing: the compiler prints
 * Eden's types worked out for our routes, with each wire type under its schema's title.
 */
async function declarations(): Promise<string> {
  const api = new API({ cwd: process.cwd() });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: ['tsconfig.json'] });
    const [project] = snapshot.getProjects();
    if (!project) throw new Error('No tsconfig.json here.');
    await refuseErrors(project);
    const types = new Map([['CallOptions', CALL_OPTIONS], ...(await wireTypes(project))]);
    const wire = [...types].map(([name, type]) => `export type ${name} = ${type};`);
    const own = await ownDeclarations(project, types);
    return `${[EDEN_TYPES, ...wire, ...own].join('\n\n')}\n`;
  } finally {
    await api.close();
  }
}

/** A type that is wrong in src would be printed as `any`. */
async function refuseErrors({ program }: Project): Promise<void> {
  const errors = await program.getSemanticDiagnostics();
  const first = errors.find(({ fileName }) => fileName?.startsWith(resolve('src')));
  if (first) throw new Error(`${first.fileName}: ${first.text}`);
}

/**
 * The schemas of objects that have a title, which is their name in the OpenAPI document too, and
 * the types beside them.
 */
async function wireTypes(project: Project): Promise<[title: string, type: string][]> {
  const found: [string, string][] = [];
  for await (const file of new Glob('src/schemas/*.ts').scan('.')) {
    const values: Record<string, { title?: string }> = await import(`./${file}`);
    for (const symbol of await exportsOf(project, file)) {
      if (symbol.flags & SymbolFlags.TypeAlias) {
        const alias = await project.checker.getDeclaredTypeOfSymbol(symbol);
        found.push([symbol.name, await printed(project, alias)]);
        continue;
      }
      const title = values[symbol.name]?.title;
      const type = title && (await project.checker.getTypeOfSymbol(symbol));
      const inner = type && (await project.checker.getPropertyOfType(type, 'static'));
      const text = inner && (await printed(project, await project.checker.getTypeOfSymbol(inner)));
      if (title && text) found.push([title, text]);
    }
  }
  // A text is a string under whatever title.
  const objects = found.filter(([, type]) => type.startsWith('{'));
  return objects.sort(([one], [other]) => one.localeCompare(other));
}

/** What src/client.ts exports, with the comments that it has there. */
async function ownDeclarations(project: Project, types: Map<string, string>): Promise<string[]> {
  const texts: string[] = [];
  for (const symbol of await exportsOf(project, ENTRY)) {
    const node = await symbol.declarations[0]?.resolve(project);
    const source = node?.getText() ?? '';
    const comment = node?.getFullText().slice(0, -source.length).trimStart() ?? '';
    if (symbol.flags & SymbolFlags.Interface) {
      texts.push(comment + source);
      continue;
    }
    const isType = symbol.flags & SymbolFlags.TypeAlias;
    const get = isType ? 'getDeclaredTypeOfSymbol' : 'getTypeOfSymbol';
    const text = await printed(project, await project.checker[get](symbol));
    const head = isType ? `type ${symbol.name} =` : `declare const ${symbol.name}:`;
    texts.push(`${comment}export ${head} ${withNames(text, types)};`);
    if (isType) types.set(symbol.name, text);
  }
  return texts;
}

async function exportsOf({ program, checker }: Project, path: string) {
  const file = await program.getSourceFile(resolve(path));
  const module = file && (await checker.getSymbolAtLocation(file));
  if (!module) throw new Error(`${path} is no module of tsconfig.json.`);
  return checker.getExportsOfModule(module);
}

function printed({ checker }: Project, type: Type | undefined): Promise<string> {
  if (!type) throw new Error('A type is missing.');
  return checker.typeToString(type, undefined, PRINTED);
}

/** Puts names in the place of the types that they stand for, the longest first. */
function withNames(text: string, types: Map<string, string>): string {
  const byLength = [...types].sort(([, one], [, other]) => other.length - one.length);
  return byLength.reduce((rest, [name, type]) => rest.replaceAll(anyIndent(type), name), text);
}

function anyIndent(text: string): RegExp {
  const lines = text.split('\n').map((line) => RegExp.escape(line.trim()));
  return new RegExp(lines.join('\\n *'), 'g');
}

if (import.meta.main) await buildClient('dist/client');
