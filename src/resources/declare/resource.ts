import { checkFields, checkNames, checkOptions } from './checks.ts';
import type { ColumnData, Columns } from './column.ts';
import type {
  Declaration,
  FilterName,
  ReadOf,
  ResourceTypes,
  SearchName,
  SortName,
  WriteOf,
} from './declaration.ts';
import type { AccessRule, Definition, Field, FieldKind, Resource } from './definition.ts';
import { createFilters } from './filters.ts';
import type { AfterHooks, BeforeHooks } from './hooks.ts';
import { pascal, type Singular, singular } from './names.ts';
import { createRelatedTables, createTable } from './tables.ts';
import { createDecoder } from './values.ts';

type AnyDeclaration = Declaration<Columns, unknown, ResourceTypes>;

/** The types of a declaration, from those of its parts. */
interface Types<C, Read, Write, Filter, Sort, Search, One, IdParam, Flags, Custom> {
  columns: C;
  read: Read;
  write: Write;
  filter: Filter;
  sort: Sort;
  search: Search;
  one: One;
  idParam: IdParam;
  flags: Flags;
  routes: Custom;
}

interface FlagTypes<History, Bin, Events, Batch, Transfer, Views> {
  history: History;
  bin: Bin;
  events: Events;
  batch: Batch;
  transfer: Transfer;
  views: Views;
}

/** The type of `resource`: infers all types of a resource from its declaration. */
type Declare = <
  const Name extends string,
  C extends Columns,
  const Read extends ReadOf<C>,
  const Write extends WriteOf<C>,
  const Filter extends FilterName<C> = never,
  const Sort extends SortName<C> = never,
  const Search extends SearchName<C> = never,
  const One extends string = Singular<Name>,
  const IdParam extends string = 'id',
  const History extends boolean = false,
  const Bin extends boolean = false,
  const Events extends boolean = false,
  const Batch extends boolean = false,
  const Transfer extends boolean = false,
  const Views extends boolean = false,
  Custom = unknown,
>(
  name: Name,
  declaration: Declaration<
    C,
    Custom,
    Types<
      C,
      Read,
      Write,
      Filter,
      Sort,
      Search,
      One,
      IdParam,
      FlagTypes<History, Bin, Events, Batch, Transfer, Views>,
      Custom
    >
  >,
) => Resource<
  Name,
  Types<
    C,
    Read,
    Write,
    Filter,
    Sort,
    Search,
    One,
    IdParam,
    FlagTypes<History, Bin, Events, Batch, Transfer, Views>,
    Custom
  >
>;

/**
 * Declares a resource: its table, routes and access. It has no effects: src/resources/index.ts and
 * the folder `resources` beside the binary name the resources that are served. Throws DeclarationError.
 */
export const resource: Declare = (name, declaration) => {
  const definition = define(name, declaration as unknown as AnyDeclaration);
  return { name, definition } as never;
};

function define(name: string, declaration: AnyDeclaration): Definition {
  const { columns, filter = [], sort = [], search = [] } = declaration;
  const { one = singular(name), idParam = 'id' } = declaration;
  const listed = { filter, sort, search };
  checkNames({ name, one, idParam, ...listed });
  const entries = Object.entries(columns).map(([field, { data }]) => [field, data] as const);
  const fields = entries.map(([field, data]) => fieldOf(one, field, data));
  checkFields(name, fields);
  const plain = {
    name,
    one,
    idParam,
    search,
    ...flagsOf(declaration),
    ...accessOf(declaration, fields),
    operationSuffix: declaration.operationSuffix ?? '',
    fields,
    hasVisibility: fields.some(({ kind }) => kind === 'visibility'),
    ...codeOf(declaration),
  };
  checkOptions(plain, listed);
  const filters = createFilters(filter, fields, sort);
  const whole = { ...plain, filters, sorts: sort, indexed: indexedOf(plain, listed) };
  const table = createTable(Object.fromEntries(entries), whole);
  return { ...whole, table, tables: createRelatedTables({ ...whole, table }) };
}

function fieldOf(one: string, name: string, data: ColumnData): Field {
  const { kind, isNullable, isNfc, choices, maxBytes, ref } = data;
  return {
    name,
    kind,
    isNullable,
    isRequired: !isNullable && data.default === undefined,
    default: data.default ? data.default.value : isNullable ? null : undefined,
    schema: data.schema(pascal(`${one}_${name}`)),
    isNfc,
    ...(choices && { choices }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(ref && { ref }),
  };
}

function flagsOf(declaration: AnyDeclaration) {
  const { history, bin, events, batch, transfer, views } = declaration;
  return {
    hasHistory: history ?? false,
    hasBin: bin ?? false,
    hasEvents: events ?? false,
    hasBatch: batch ?? false,
    hasTransfer: transfer ?? false,
    hasViews: views ?? false,
  };
}

function codeOf({ before, after, jobs, routes }: AnyDeclaration) {
  return {
    ...(before && { before: before as BeforeHooks }),
    ...(after && { after: after as AfterHooks }),
    ...(jobs && { jobs }),
    ...(routes && { routes: routes as unknown as NonNullable<Definition['routes']> }),
  };
}

function accessOf({ read, write }: AnyDeclaration, fields: readonly Field[]) {
  const decode = createDecoder(fields);
  const ruleOf = (declared: unknown): unknown => {
    if (typeof declared !== 'function') return declared;
    const rule: AccessRule = (actor, row) => declared(actor, decode(row)) === true;
    return rule;
  };
  return { read: ruleOf(read) as Definition['read'], write: ruleOf(write) as Definition['write'] };
}

/** Kinds of fields whose equal values are few, so that an index pays. */
const INDEXED: ReadonlySet<FieldKind> = new Set(['text', 'integer', 'real', 'time', 'ref']);

function indexedOf(
  { read, fields }: Pick<Definition, 'read' | 'fields'>,
  { filter, sort }: { filter: readonly string[]; sort: readonly string[] },
): string[] {
  const isIndexed = (name: string) => {
    const field = fields.find((it) => it.name === name);
    return field ? INDEXED.has(field.kind) : name === 'owner_id' && read !== 'owner';
  };
  return filter.filter((it) => isIndexed(it) && !sort.includes(it));
}
