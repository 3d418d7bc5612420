import { basename, resolve } from 'node:path';
import { Glob } from 'bun';
import {
  API,
  NodeBuilderFlags,
  type Project,
  SignatureKind,
  SymbolFlags,
  type Type,
} from 'typescript/unstable/async';
import { transpileDeclaration } from 'typescript-5';

const ENTRY = 'src/client.ts';
/** Holds the type of the routes, which is printed instead of copied. */
const TREE = 'src/client/tree.ts';
/** Names types of the routes; they are printed like those of schemas. */
const ITEMS = 'src/client/items.ts';

/** Whole, a property a line, and an alias by its name alone wherever it is declared. */
const PRINTED =
  NodeBuilderFlags.NoTruncation |
  NodeBuilderFlags.MultilineObjectLiterals |
  NodeBuilderFlags.InTypeAlias |
  NodeBuilderFlags.UseAliasDefinedOutsideCurrentScope;

const PROBLEMS = 'src/schemas/problems.ts';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];

/** A declared function with its comment. */
const FUNCTION =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export declare function (\w+)[\s\S]*?;\n(?=[^\s}]|$(?![\s\S]))/gm;

const HELPERS = `/** The same body for each of several statuses. */
type Each<Status extends number, Body> = { [S in Status]: Body };`;

interface Schema {
  $ref?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  content?: Record<string, { schema: Schema }>;
}

interface Operation {
  summary?: string;
  description?: string;
  parameters?: { name: string; description?: string; schema: Schema }[];
  requestBody?: Schema;
  responses: Record<string, Schema>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** The compiler, the OpenAPI document for the comments, and the types that have a name. */
interface Printer {
  project: Project;
  document: Document;
  types: Map<string, string>;
  /** The same, and Upload. */
  names: Map<string, string>;
}

/**
 * The declarations of the client's package, in one file that imports nothing: those of src/client as
 * they are, each wire type under its schema's title, and the routes with their descriptions.
 */
export async function clientDeclarations(): Promise<string> {
  const api = new API({ cwd: process.cwd() });
  try {
    const [snapshot, document, own] = await Promise.all([
      api.updateSnapshot({ openProjects: ['tsconfig.json'] }),
      openApiDocument(),
      ownDeclarations(),
    ]);
    const [project] = snapshot.getProjects();
    if (!project) throw new Error('No tsconfig.json here.');
    await refuseErrors(project);
    const types = new Map(await wireTypes(project));
    const printer = { project, document, types, names: await namesOf(project, types) };
    const routes = await routeTypes(printer);
    const exported = [...(await exportsOf(project, ENTRY)).map((it) => it.name), ...types.keys()];
    const end = `export { ${[...new Set(exported)].join(', ')}, Problem };`;
    const problem = await problemDeclaration(printer);
    const all = [...own, HELPERS, problem, ...wireDeclarations(printer), ...routes, end];
    return `${indented(all.join('\n\n'))}\n`;
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

async function openApiDocument(): Promise<Document> {
  const command = [process.execPath, 'src/index.ts', 'openapi'];
  return Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' }).stdout.json();
}

/** What the modules of the client declare, with their comments, without imports and exports. */
async function ownDeclarations(): Promise<string[]> {
  const entry = await Bun.file(ENTRY).text();
  const sources = [...entry.matchAll(/^export .*? from '\.(\/client\/[\w-]+\.ts)';$/gms)];
  const paths = [...new Set(sources.map(([, path]) => `src${path}`))].filter(
    (it) => it !== TREE && it !== ITEMS,
  );
  return Promise.all(
    [...paths, ENTRY].map(async (path) => {
      const source = await Bun.file(path).text();
      const { outputText } = transpileDeclaration(source, { fileName: basename(path) });
      return outputText
        .replace(/^(import|export) (type )?\{[^}]*\}( from '[^']*')?;\n/gm, '')
        .replace(FUNCTION, (text, _, name) => (named(entry, name) ? text : ''))
        .replace(/^export /gm, '')
        .trim();
    }),
  );
}

function named(source: string, name: string): boolean {
  return new RegExp(`^export .*\\b${name}\\b`, 'm').test(source);
}

/**
 * The schemas of objects that have a title, which is their name in the OpenAPI document too, and
 * the types beside them.
 */
async function wireTypes(project: Project): Promise<[title: string, type: string][]> {
  const found: [string, string][] = [];
  for (const file of [ITEMS, ...new Glob('src/schemas/**/*.ts').scanSync('.')]) {
    // The schemas of resources are built when the server starts; their types are in the routes.
    if (file.startsWith('src/schemas/resources/')) continue;
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

/** The interface of problems, which is generic and so no wire type with a schema of its own. */
async function problemDeclaration({ project, document }: Printer): Promise<string> {
  const { checker } = project;
  const symbol = (await exportsOf(project, PROBLEMS)).find(({ name }) => name === 'Problem');
  const type = symbol && (await checker.getDeclaredTypeOfSymbol(symbol));
  if (!type) throw new Error(`${PROBLEMS} has no Problem.`);
  const lines = await Promise.all(
    (await checker.getPropertiesOfType(type)).map(async ({ name, flags }) => {
      const mark = flags & SymbolFlags.Optional ? '?' : '';
      const text = await printed(project, await propertyType(project, type, name));
      return `${name}${mark}: ${text.replace(/ \| undefined$/, '')};`;
    }),
  );
  const schemas = Object.values(document.components.schemas);
  const schema = schemas.find((it) => it.properties?.['request_id'] && it.properties['code']) ?? {};
  const body = documented(`{\n${lines.join('\n')}\n}`, schema, document);
  return `/** An RFC 9457 problem of v2 with one of some codes. */\ninterface Problem<Code extends string = string> ${body}`;
}

async function namesOf(project: Project, types: Map<string, string>) {
  const exported = await exportsOf(project, 'src/client/options.ts');
  const upload = exported.find(({ name }) => name === 'Upload');
  const type = upload && (await project.checker.getDeclaredTypeOfSymbol(upload));
  return new Map([...types, ['Upload', await printed(project, type)]]);
}

function wireDeclarations({ types, document }: Printer): string[] {
  return [...types].map(([name, type]) => {
    const others = new Map([...types].filter(([other, it]) => other !== name && it !== type));
    const schema = document.components.schemas[name] ?? {};
    const text = documented(withNames(type, others), schema, document);
    return `${comment([schema.description])}type ${name} = ${text};`;
  });
}

/** The types of the routes: one for each version, and the client that has them. */
async function routeTypes(printer: Printer): Promise<string[]> {
  const { project } = printer;
  const symbol = (await exportsOf(project, TREE)).find(({ name }) => name === 'Client');
  const client = symbol && (await project.checker.getDeclaredTypeOfSymbol(symbol));
  const node = await symbol?.declarations[0]?.resolve(project);
  if (!client || !node) throw new Error(`${TREE} has no Client.`);
  const versions = await Promise.all(
    ['v1', 'v2'].map(async (version) => {
      const type = await propertyType(project, client, version);
      return `/** The routes below /api/${version}. */\ntype ${version.toUpperCase()} = ${await branchOf(printer, type, `/api/${version}`)};`;
    }),
  );
  const about = node.getFullText().slice(0, -node.getText().length).trimStart();
  const health = await branchOf(printer, await propertyType(project, client, 'health'), '/health');
  const short = `{\n/** Shorter for api.v1. */\nv1: V1;\n/** Shorter for api.v2. */\nv2: V2;\n}`;
  const whole = `{\napi: { v1: V1; v2: V2 };\nhealth: ${health};\n} & ${short}`;
  return [...versions, `${about}type Client = ${whole};`];
}

/** The routes and parts of paths that continue a path. */
async function branchOf(printer: Printer, type: Type, path: string): Promise<string> {
  const { checker } = printer.project;
  const members = await Promise.all(
    (await checker.getPropertiesOfType(type)).map(async (symbol) => {
      const { name } = symbol;
      const member = await propertyType(printer.project, type, name);
      const key = /^[a-z_]\w*$/i.test(name) ? name : `'${name}'`;
      if (METHODS.includes(name)) return routeOf(printer, member, path, name);
      return `${key}: ${await nodeOf(printer, member, `${path}/${name}`)};`;
    }),
  );
  return `{\n${members.join('\n')}\n}`;
}

/** A part of a path, which is also a function where a parameter may follow. */
async function nodeOf(printer: Printer, type: Type, path: string): Promise<string> {
  const { checker } = printer.project;
  const [signature] = await checker.getSignaturesOfType(type, SignatureKind.Call);
  if (!signature) return branchOf(printer, type, path);
  const [parameter] = await signature.getParameters();
  const given = parameter && (await checker.getTypeOfSymbol(parameter));
  const next = await checker.getReturnTypeOfSignature(signature);
  if (!next) throw new Error(`${path} has a parameter and nothing behind it.`);
  const text = (await printed(printer.project, given)).replace(/\s+/g, ' ');
  const name = /\w+/.exec(text)?.[0] ?? '';
  const inner = await branchOf(printer, next, `${path}/{${name}}`);
  return `((params: ${text}) => ${inner}) & ${await branchOf(printer, type, path)}`;
}

async function routeOf(
  { project, document, names }: Printer,
  type: Type,
  path: string,
  method: string,
) {
  const operation = document.paths[path]?.[method] ?? document.paths[`${path}/`]?.[method];
  const {
    summary,
    description,
    parameters = [],
    requestBody = {},
    responses = {},
  } = operation ?? {};
  const query = parameters.map(({ name, schema, ...its }) => [name, { ...schema, ...its }]);
  const schema: Schema = {
    properties: {
      ...responses,
      query: { properties: Object.fromEntries(query) },
      body: requestBody,
    },
  };
  const text = withNames(await printed(project, type), names);
  const shown = documented(grouped(text), schema, document);
  return `${comment([summary, description])}${method}: ${shown};`;
}

async function propertyType({ checker }: Project, type: Type, name: string): Promise<Type> {
  const symbol = await checker.getPropertyOfType(type, name);
  const found = symbol && (await checker.getTypeOfSymbol(symbol));
  if (!found) throw new Error(`There is no ${name}.`);
  return found;
}

async function exportsOf({ program, checker }: Project, path: string) {
  const file = await program.getSourceFile(resolve(path));
  const module = file && (await checker.getSymbolAtLocation(file));
  if (!module) throw new Error(`${path} is no module of tsconfig.json.`);
  return checker.getExportsOfModule(module);
}

async function printed({ checker }: Project, type: Type | undefined): Promise<string> {
  if (!type) throw new Error('A type is missing.');
  const text = await checker.typeToString(type, undefined, PRINTED);
  // TypeScript before 5.7 knows no parameter of it, and has this one by default since.
  return text.replaceAll('Uint8Array<ArrayBufferLike>', 'Uint8Array');
}

/** Puts names in the place of the types that they stand for, the longest first. */
function withNames(text: string, types: Map<string, string>): string {
  const byLength = [...types].sort(([, one], [, other]) => other.length - one.length);
  const named = byLength.reduce(
    (rest, [name, type]) => rest.replaceAll(anyIndent(type), name),
    text,
  );
  return named.replace(/\((\w+)\)\[\]/g, '$1[]');
}

function anyIndent(text: string): RegExp {
  const lines = text.split('\n').map((line) => RegExp.escape(line.trim()));
  return new RegExp(lines.join('\\n *'), 'g');
}

/** A status whose body has a named type. */
const NAMED_STATUS = /\n\s*(\d{3}): (\w+);/g;

/** Writes statuses whose bodies have the same named type together. */
function grouped(text: string): string {
  return text.replace(/Answer<(\{[\s\S]*\})>>/, (_, object: string) => {
    const found = [...object.matchAll(NAMED_STATUS)];
    const groups = [...Map.groupBy(found, ([, , body]) => body)].map(
      ([body, of]) => `Each<${of.map(([, status]) => status).join(' | ')}, ${body}>`,
    );
    const rest = object.replace(NAMED_STATUS, '');
    return `Answer<${[...(/\d/.test(rest) ? [rest] : []), ...groups].join(' & ')}>>`;
  });
}

/** Puts the descriptions of a schema's fields above the lines that declare them. */
function documented(text: string, schema: Schema, document: Document): string {
  const open: Schema[] = [];
  let current = schema;
  return text
    .split('\n')
    .map((line, index) => {
      const [, name = ''] = /^\s*['"]?([\w-]+)['"]?\??: /.exec(line) ?? [];
      const field = resolved(current.properties?.[name], document);
      if (/^\s*\}/.test(line)) current = open.pop() ?? schema;
      if (line.endsWith('{') && index > 0) {
        open.push(current);
        current = name ? field : current;
      }
      return comment([/^\d/.test(name) ? undefined : field.description]) + line;
    })
    .join('\n');
}

/** The schema with the fields: behind a reference, of a list's items, or beside null. */
function resolved(schema: Schema | undefined, document: Document): Schema {
  if (!schema) return {};
  const { $ref, content, items, anyOf, description } = schema;
  const media = content && Object.values(content)[0]?.schema;
  const inner =
    ($ref && document.components.schemas[basename($ref)]) ||
    media ||
    items ||
    anyOf?.find((it) => it.properties ?? it.$ref ?? it.items);
  if (!inner) return schema;
  const found = resolved(inner, document);
  return {
    ...(found.properties && { properties: found.properties }),
    ...(description && { description }),
  };
}

/** Indents every line by how many brackets are open. */
function indented(text: string): string {
  let depth = 0;
  const lines = text.split('\n').map((each) => {
    const line = each.trim();
    if (/^[})\]]/.test(line)) depth--;
    const shown = `${'  '.repeat(Math.max(depth, 0))}${line.startsWith('*') ? ' ' : ''}${line}`;
    if (/[{([]$/.test(line) && !line.startsWith('*')) depth++;
    return shown.trimEnd();
  });
  return lines.join('\n');
}

function comment(parts: (string | undefined)[]): string {
  const text = parts.filter(Boolean).join('\n\n').replaceAll('*/', '*\\/');
  if (text === '') return '';
  return text.includes('\n')
    ? `/**\n * ${text.replaceAll('\n', '\n * ')}\n */\n`
    : `/** ${text} */\n`;
}
