import type { AnyActor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import { allOf, fragment, nameOf, tableName } from '../../../core/db/fragment.ts';
import { rendered, rowsOf } from '../../../core/db/query.ts';
import { isNotRemoved } from '../../../models/users.ts';
import type { Definition, Field, Row } from '../../../resources/declare/definition.ts';
import { pagesById } from '../../../utils/page.ts';
import { csvLine, guarded } from '../../../utils/text/csv.ts';
import { storedFilters } from '../list/filters.ts';
import { listingOf } from '../list/list.ts';
import { rowsIn } from '../list/listing.ts';
import type { Filter } from '../list/query.ts';
import { listedRows } from '../list/sections.ts';
import { writeCell } from './cells.ts';

/** Rows of one read: 2 MB at most. */
const PAGE = 20;

export interface ExportOptions<Name extends string = string> {
  format: 'jsonl' | 'csv';
  /** Exports all rows of this account, private ones too; without it, all listed rows. */
  ownerId: number | undefined;
  /** The caller, if a function decides who may read a row. */
  actor?: AnyActor;
  /** Conditions that must all hold. */
  filters: readonly Filter<Name>[];
}

/** Some lines, and the number of rows in them. */
export interface ExportChunk {
  text: string;
  count: number;
}

type Exported = Row & { passes: number };

/** Exports rows as JSON Lines or CSV. */
export function createResourceExport<Name extends string = string>(
  def: Definition,
  { db }: { db: Db },
) {
  const { table, fields } = def;
  const listing = listingOf(def);
  const [id, all] = [nameOf(table.id), tableName(table.id)];
  const listed = allOf([rowsIn(listing, listedRows(def)), rendered(isNotRemoved(table.owner_id))]);

  /**
   * A page of rows after an id. It includes rows that do not pass the filters and own rows in the
   * bin: skipping them in SQL could take unbounded time.
   */
  const pageOf = ({ ownerId, filters }: ExportOptions, after: number, until: number) => {
    const own = fragment`${nameOf(table.owner_id)} = ${ownerId}`;
    const passes = allOf(storedFilters(def, filters).map(listing.conditionOf));
    return fragment`select ${all}.*, ${passes} as passes from ${all} ${listing.joins}
      where ${ownerId === undefined ? listed : own} and ${id} > ${after} and ${id} <= ${until} order by ${id} limit ${PAGE}`;
  };
  const newest = async () => {
    const rows = await rowsOf<{ id: number | null }>(
      db.read,
      fragment`select max(id) as id from ${all}`,
    );
    return rows[0]?.id ?? 0;
  };
  const isShown = ({ actor, ownerId }: ExportOptions, row: Exported) => {
    if (!row.passes || (def.hasBin && row['deleted_at'] !== null)) return false;
    const { read } = def;
    return (
      ownerId !== undefined ||
      typeof read !== 'function' ||
      (actor !== undefined && read(actor, row))
    );
  };
  return {
    /**
     * The lines of all rows that exist now and pass the filters, by id. Reads each page on demand,
     * so a row appears as it is at that moment. An import of the lines creates equal rows.
     */
    lines: async function* (options: ExportOptions<Name>): AsyncGenerator<ExportChunk> {
      const isCsv = options.format === 'csv';
      if (isCsv) yield { text: csvLine(fields.map(({ name }) => name)), count: 0 };
      const toLine = isCsv ? csvOf : jsonOf;
      const until = await newest();
      const read = (after: number) => rowsOf<Exported>(db.read, pageOf(options, after, until));
      for await (const page of pagesById(PAGE, read)) {
        const shown = page.filter((row) => isShown(options, row));
        const text = shown.map((row) => toLine(fields, row)).join('');
        if (shown.length > 0) yield { text, count: shown.length };
      }
    },
  };
}

function jsonOf(fields: readonly Field[], row: Row): string {
  return `{${fields.map(({ name, kind }) => `"${name}":${jsonValue(kind, row[name] ?? null)}`).join()}}\n`;
}

/** Lists and objects are stored as JSON, and flags as numbers. */
function jsonValue(kind: Field['kind'], value: string | number | null): string {
  if (value === null) return 'null';
  if (kind === 'json' || kind === 'texts') return String(value);
  return JSON.stringify(kind === 'flag' ? value === 1 : value);
}

function csvOf(fields: readonly Field[], row: Row): string {
  return csvLine(fields.map((field) => guarded(writeCell(field, row[field.name] ?? null))));
}
