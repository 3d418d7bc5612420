import type { FilterField, FilterFields } from '../../schemas/filters.ts';
import {
  methodType,
  type Operation,
  type OperationContext,
  type Response,
} from './operation-types.ts';
import { commentOf, keyOf, nameOf, type Schema, typeOf, unionOf } from './schema-types.ts';

/** A finished OpenAPI document; only the parts that its types need. */
export interface Document {
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Response> };
}

/** A resource whose routes are printed. */
export interface PrintedResource {
  readonly name: string;
  readonly one: string;
  readonly filters: FilterFields;
}

/** A part of a path: its routes, the parts that follow, and the parameter that may follow. */
interface Node {
  methods: string[];
  parts: Map<string, Node>;
  parameter?: { type: string; node: Node };
}

const PREFIX = '/api/v2/';
const COMMENT = /\/\*\*[\s\S]*?\*\//g;

const CLIENT = 'export type Client = CoreClient & { v2: Resources; api: { v2: Resources } };';

const headOf = (
  names: string,
  version: string,
) => `// Types of a Hutch server with ${names}, for its client.
// Made by hutch ${version}: print them again when the server's resources change.
//
//     import { createClient } from 'hutch-client';
//     import type { Client } from './hutch-types.d.ts';
//
//     const hutch = createClient<Client>('https://api.example.com');

import type {
  Answer,
  CallOptions,
  Client as CoreClient,
  Problem,
  SparseGet,
  Upload,
} from 'hutch-client';`;

/**
 * Returns a declaration file for projects that use the package hutch-client: the client's type with
 * the routes of `resources`, and a type for each schema that they use.
 */
export function clientTypes(document: Document, resources: readonly PrintedResource[]): string {
  const routes = resources.map((resource) => {
    return `${commentOf(`The routes below ${PREFIX}${resource.name}.`)}${keyOf(resource.name)}: ${nodeType(routesOf(document, resource))};`;
  });
  const names = resources.map(({ name }) => name).join(', ') || 'no resources of its own';
  const parts = [
    headOf(names, document.info.version),
    ...schemasIn(routes.join('\n'), document.components.schemas),
    `export interface Resources {\n${routes.join('\n')}\n}`,
    `/** The typed server: the core and its resources. */\n${CLIENT}`,
  ];
  return `${indented(parts.join('\n\n'))}\n`;
}

function routesOf(document: Document, resource: PrintedResource): Node {
  const own = `${PREFIX}${resource.name}`;
  const root = newNode();
  const context: OperationContext = {
    responses: document.components.responses,
    where: whereType(resource.filters),
    event: eventType(document, resource),
  };
  for (const [path, operations] of Object.entries(document.paths)) {
    if (path !== own && !path.startsWith(`${own}/`)) continue;
    const parameters = Object.values(operations).flatMap((it) => it.parameters ?? []);
    let node = root;
    for (const part of path.slice(own.length).split('/').filter(Boolean)) {
      const [, name] = /^\{(.+)\}$/.exec(part) ?? [];
      const schema = parameters.find((it) => it.in === 'path' && it.name === name)?.schema;
      node = name === undefined ? partOf(node, part) : parameterOf(node, name, schema);
    }
    const methods = Object.entries(operations).map(([method, it]) =>
      methodType(method, it, context),
    );
    node.methods.push(...methods);
  }
  return root;
}

function newNode(): Node {
  return { methods: [], parts: new Map() };
}

function partOf(node: Node, part: string): Node {
  const next = node.parts.get(part) ?? newNode();
  node.parts.set(part, next);
  return next;
}

function parameterOf(node: Node, name: string, schema: Schema = {}): Node {
  const type = typeOf(schema) === 'number' ? 'number' : 'string | number';
  node.parameter ??= { type: `{ ${keyOf(name)}: ${type} }`, node: newNode() };
  return node.parameter.node;
}

function nodeType({ methods, parts, parameter }: Node): string {
  const members = [...parts].map(([name, node]) => `${keyOf(name)}: ${nodeType(node)};`);
  const own = `{\n${[...methods, ...members].join('\n')}\n}`;
  if (!parameter) return own;
  return `((params: ${parameter.type}) => ${nodeType(parameter.node)}) & ${own}`;
}

/** Returns the type of conditions as text, such as `title eq ${string}`. */
function whereType(filters: FilterFields): string {
  const conditions = Object.entries(filters).flatMap(([name, field]) =>
    field.ops.map((op) => {
      const path = field.hasPath ? `${name}.\${string}` : name;
      return `\`${path} ${op} \${${valueType(field, op)}}\``;
    }),
  );
  if (conditions.length === 0) return 'never';
  return `${unionOf(conditions)} | readonly (${unionOf(conditions)})[]`;
}

function valueType({ type }: FilterField, op: string): string {
  if (op === 'is') return `'null' | 'not_null'${type === 'json' ? " | 'true' | 'false'" : ''}`;
  if (op === 'in' || op === 'like' || typeof type === 'string') return 'string';
  return type.map((it) => `'${it}'`).join(' | ');
}

/** Returns the type of a resource's events. `row` is null if the caller cannot see it any more. */
function eventType({ paths }: Document, { name, one }: PrintedResource): string {
  const path = Object.keys(paths).find(
    (it) => it.startsWith(`${PREFIX}${name}/{`) && /\}$/.test(it),
  );
  const response = paths[path ?? '']?.['get']?.responses['200'];
  const row = typeOf(response?.content?.['application/json']?.schema ?? {});
  const change = `{ ${keyOf(one)}: ${row} | null; ${keyOf(`${one}_id`)}: number; version: number; at: string }`;
  return unionOf([
    `{ event: 'created' | 'updated' | 'deleted'; id: number; data: ${change} }`,
    `{ event: 'reset'; id: number; data: { reason: string } }`,
    '{ event?: undefined; id?: number; retry?: number }',
  ]);
}

/** Returns the declarations of the schemas that `text` names, directly or through others. */
function schemasIn(text: string, schemas: Record<string, Schema>): string[] {
  const named = new Map(Object.entries(schemas).map(([name, it]) => [nameOf(name), it]));
  const found = new Map<string, string>();
  const visit = (part: string) => {
    const words = new Set(part.replaceAll(COMMENT, '').match(/\w+/g));
    for (const [name, schema] of named) {
      if (found.has(name) || !words.has(name)) continue;
      const type = typeOf(schema);
      found.set(name, `${commentOf(schema.description)}export type ${name} = ${type};`);
      visit(type);
    }
  };
  visit(text);
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, declaration]) => declaration);
}

/** Indents lines by the braces around them. */
function indented(text: string): string {
  let depth = 0;
  return text
    .split('\n')
    .map((line) => {
      if (/^\s*\*|^\/\//.test(line)) return line === '' ? '' : `${'  '.repeat(depth)}${line}`;
      if (/^[}\])]/.test(line)) depth--;
      const shown = line === '' ? '' : `${'  '.repeat(Math.max(0, depth))}${line}`;
      if (/\{$/.test(line)) depth++;
      return shown;
    })
    .join('\n');
}
