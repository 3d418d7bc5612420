import { createHash } from 'node:crypto';
import type { Catalog } from './catalog.ts';
import { changesOf } from './changes.ts';
import type { SchemaRecord } from './records.ts';
import { isWord, normalized, quoted, tokensOf } from './tokens.ts';

/**
 * Objects that can be built again from the rows of a table at any time, such as a search index and
 * its triggers. When a statement changes, all are dropped and built again.
 */
export interface Derived {
  /** The table whose rows fill them. */
  of: string;
  /** Creates virtual tables, tables, indexes and triggers. May be empty. */
  create: readonly string[];
  /** Fills them, or the rows of another table, from the rows that exist. */
  fill: readonly string[];
}

/** A group as it is compared. */
export interface DerivedGroup extends Derived {
  /** The names of the objects, in the order of their creation. */
  names: string[];
  /** Identifies the statements. */
  hash: string;
}

export interface DerivedPlan {
  drops: string[];
  creates: string[];
}

/** Divides statements into those that create objects and those that fill them. */
export function derivedFrom(of: string, statements: readonly string[]): Derived {
  const isCreate = (sql: string) => isWord(tokensOf(sql)[0], 'create');
  return {
    of,
    create: statements.filter(isCreate),
    fill: statements.filter((sql) => !isCreate(sql)),
  };
}

export function groupOf(derived: Derived): DerivedGroup {
  const { create, fill } = derived;
  const hash = createHash('sha256')
    .update([...create, '', ...fill].join('\n'))
    .digest('hex');
  return { ...derived, names: create.map(nameOf), hash };
}

/**
 * Compares a group with `wanted`, a database that has its objects as declared. `isDue` says that it
 * must be built again even if the objects are the same.
 */
export function planDerived(
  client: Catalog,
  wanted: Catalog,
  { names, create, fill }: DerivedGroup,
  isDue: boolean,
): DerivedPlan {
  const isCurrent = !isDue && names.every((name) => isSame(client, wanted, name));
  if (isCurrent) return { drops: [], creates: [] };
  return {
    drops: names.toReversed().flatMap((name) => dropOf(client, name)),
    creates: [...create, ...fill],
  };
}

/**
 * Returns the statements that a migration needs for groups: those whose objects differ before it are
 * built again on the schema `after` it. `wanted` has all objects as declared.
 */
export function missingDerived(
  wanted: Catalog,
  before: Catalog,
  after: Catalog,
  groups: readonly DerivedGroup[],
): string[] {
  const due = groups.filter(({ names }) => !names.every((name) => isSame(before, wanted, name)));
  return due.flatMap(({ names, create, fill }) => {
    // drizzle-kit has created tables that it knows.
    const isLeft = (name: string) => !isSame(after, wanted, name);
    const missing = create.filter((_, at) => isLeft(names[at] as string));
    return [
      ...names
        .filter(isLeft)
        .reverse()
        .flatMap((name) => dropOf(after, name)),
      ...missing,
      ...fill,
    ];
  });
}

/** Returns the names of objects that exist, differ from the declared ones and were not `made` by the engine. */
export function foreignObjects(
  client: Catalog,
  wanted: Catalog,
  { names }: DerivedGroup,
  made: ReadonlySet<string>,
): string[] {
  return names.filter(
    (name) => !made.has(name) && client.object(name) && !isSame(client, wanted, name),
  );
}

/**
 * Returns the drops of recorded objects that are not declared any more. Objects of a table that no
 * resource declares stay, as the table does.
 */
export function dropStale(
  client: Catalog,
  records: readonly SchemaRecord[],
  declared: { objects: ReadonlySet<string>; tables: ReadonlySet<string> },
): string[] {
  const isStale = ({ name, of }: SchemaRecord) => {
    if (declared.objects.has(name)) return false;
    const on = client.object(name)?.table ?? '';
    return declared.tables.has(of) || declared.tables.has(on) || !client.object(of);
  };
  return records
    .filter((it) => it.kind === 'derived' && isStale(it))
    .sort((a, b) => typeRank(client, a.name) - typeRank(client, b.name))
    .flatMap(({ name }) => dropOf(client, name));
}

function isSame(client: Catalog, wanted: Catalog, name: string): boolean {
  const [table, declared] = [client.table(name), wanted.table(name)];
  if (table && declared) {
    const { added, problems } = changesOf(table, declared);
    return added.length + problems.length === 0;
  }
  // SQLite keeps the text of all others as it was written.
  const [found, wantedOne] = [client.object(name), wanted.object(name)];
  if (!found || !wantedOne) return false;
  return normalized(tokensOf(found.sql), '') === normalized(tokensOf(wantedOne.sql), '');
}

function dropOf(client: Catalog, name: string): string[] {
  const type = client.object(name)?.type;
  return type === undefined ? [] : [`DROP ${type.toUpperCase()} ${quoted(name)}`];
}

/** The name that a CREATE statement gives. */
function nameOf(create: string): string {
  const tokens = tokensOf(create);
  const at = tokens.findIndex(
    (it) => isWord(it, 'table') || isWord(it, 'index') || isWord(it, 'trigger'),
  );
  return tokens[at + 1]?.text ?? '';
}

/** Tables are dropped last: that drops their indexes and triggers too. */
function typeRank(client: Catalog, name: string): number {
  return client.object(name)?.type === 'table' ? 1 : 0;
}
