import { changesOf } from './changes.ts';
import type { SchemaRecord } from './records.ts';
import { type Queryable, readTable, rowsOf } from './shape.ts';
import { normalized, quoted, tokensOf } from './tokens.ts';

/**
 * Objects that can be built again from the rows of a table at any time, such as a search index and
 * its triggers. When one of them differs from its declaration, all are dropped and built again.
 */
export interface Derived {
  /** The table whose rows fill them. */
  of: string;
  /** Virtual tables, tables, indexes and triggers, in the order of their creation. */
  objects: readonly DerivedObject[];
  /** Statements that fill the objects from rows that exist already. */
  fill: readonly string[];
}

export interface DerivedObject {
  name: string;
  sql: string;
}

export interface DerivedPlan {
  drops: string[];
  creates: string[];
}

/** Compares the objects of one group with those of `wanted`, a database that has them as declared. */
export function planDerived(
  client: Queryable,
  wanted: Queryable,
  { objects, fill }: Derived,
): DerivedPlan {
  if (objects.every(({ name }) => isSame(client, wanted, name))) return { drops: [], creates: [] };
  return {
    drops: objects.toReversed().flatMap(({ name }) => dropOf(client, name)),
    creates: [...objects.map(({ sql }) => sql), ...fill],
  };
}

/** Returns the names of objects that exist, differ from the declared ones and were not `made` by the engine. */
export function foreignObjects(
  client: Queryable,
  wanted: Queryable,
  { objects }: Derived,
  made: ReadonlySet<string>,
): string[] {
  return objects
    .map(({ name }) => name)
    .filter((name) => !made.has(name) && find(client, name) && !isSame(client, wanted, name));
}

/**
 * Returns the drops of recorded objects that are not declared any more. Objects of a table that no
 * resource declares stay, as the table does.
 */
export function dropStale(
  client: Queryable,
  records: readonly SchemaRecord[],
  declared: { objects: ReadonlySet<string>; tables: ReadonlySet<string> },
): string[] {
  const isStale = ({ name, of }: SchemaRecord) => {
    if (declared.objects.has(name)) return false;
    const on = find(client, name)?.tbl_name ?? '';
    return declared.tables.has(of) || declared.tables.has(on) || !find(client, of);
  };
  return records
    .filter((it) => it.kind === 'derived' && isStale(it))
    .sort((a, b) => typeRank(client, a.name) - typeRank(client, b.name))
    .flatMap(({ name }) => dropOf(client, name));
}

interface Stored {
  type: string;
  tbl_name: string;
  sql: string;
}

function find(client: Queryable, name: string): Stored | undefined {
  const query = 'SELECT type, tbl_name, sql FROM sqlite_master WHERE name = ?';
  return rowsOf<Stored>(client, query, name)[0];
}

function isSame(client: Queryable, wanted: Queryable, name: string): boolean {
  const [table, declared] = [readTable(client, name), readTable(wanted, name)];
  if (table && declared) {
    const { added, problems } = changesOf(wanted, table, declared);
    return added.length + problems.length === 0;
  }
  // SQLite keeps the text of all others as it was written.
  const [found, wantedOne] = [find(client, name), find(wanted, name)];
  if (!found || !wantedOne) return false;
  return normalized(tokensOf(found.sql), '') === normalized(tokensOf(wantedOne.sql), '');
}

function dropOf(client: Queryable, name: string): string[] {
  const type = find(client, name)?.type;
  return type === undefined ? [] : [`DROP ${type.toUpperCase()} ${quoted(name)}`];
}

/** Tables are dropped last: that drops their indexes and triggers too. */
function typeRank(client: Queryable, name: string): number {
  return find(client, name)?.type === 'table' ? 1 : 0;
}
