import type { Definition, FieldKind } from '../../../resources/declare/definition.ts';
import { documentOf, type Relation, SPARSE_TYPE } from '../../../schemas/resources/document.ts';

/** The parts of a row in a response: its fields, all by default, and the rows that `expand` adds. */
export interface Selection {
  /** Undefined for all fields. */
  fields: readonly string[] | undefined;
  hasOwner: boolean;
  relations: readonly Relation[];
}

/** A row as a list reads it: some columns. Objects and lists are JSON texts, flags are 0 or 1. */
export interface ListedRow {
  readonly id: number;
  readonly [column: string]: string | number | null | undefined;
}

/** The JSON of the rows that `expand` adds to a row, by the names of the relations. */
export type Expanded = Readonly<Record<string, string>>;

export type RowWriter = ReturnType<typeof createRowWriter>;

type Encode = (value: unknown) => string;

/**
 * Creates functions that encode rows as JSON. They copy stored JSON: parsing and encoding it again
 * would cost as much as reading it.
 */
export function createRowWriter(definition: Definition) {
  const names = Object.keys(documentOf(definition).properties);
  const encoders = encodersOf(definition);
  const partOf = (name: string) => ({
    name,
    prefix: `,"${name}":`,
    encode: encoders.get(name) ?? encodeNumber,
  });
  const all = names.filter((name) => name !== 'id').map(partOf);
  const join = (parts: typeof all, row: ListedRow): string => {
    let text = `{"id":${row.id}`;
    for (const { name, prefix, encode } of parts) text += prefix + encode(row[name]);
    return `${text}}`;
  };
  return {
    /** The names of all fields of a document. */
    names,
    /** Encodes a whole row. */
    write: (row: ListedRow): string => join(all, row),
    /** Encodes a stored value of a field. */
    encode: (name: string, value: unknown): string => (encoders.get(name) ?? encodeNumber)(value),
    /** Returns the columns that a selection needs, and a function that encodes such a row. */
    select: ({ fields, hasOwner, relations }: Selection) => {
      const parts = fields ? fields.filter((name) => name !== 'id').map(partOf) : all;
      const owner = hasOwner ? ['owner_id', 'owner_username'] : [];
      const referring = relations.map(({ field }) => field.name);
      return {
        columns: [...new Set([...parts.map(({ name }) => name), ...owner, ...referring])],
        write: (row: ListedRow, expanded: Expanded = {}): string => {
          const text = join(parts, row);
          const more = [...(hasOwner ? [`,"owner":${ownerJson(row)}`] : [])];
          for (const [name, json] of Object.entries(expanded)) more.push(`,"${name}":${json}`);
          return more.length === 0 ? text : `${text.slice(0, -1)}${more.join('')}}`;
        },
      };
    },
  };
}

/** The headers of a response with a selection: sparse rows have their own media type. */
export function shownHeaders({ fields }: Selection): Record<string, string> {
  return fields ? { 'content-type': SPARSE_TYPE } : {};
}

function encodersOf({ fields, hasBin }: Definition): Map<string, Encode> {
  return new Map<string, Encode>([
    ...fields.map(({ name, kind }) => [name, ENCODERS[kind]] as const),
    ['created_at', encodeText],
    ['updated_at', encodeText],
    ...(hasBin ? [['deleted_at', encodeText] as const] : []),
  ]);
}

const encodeNumber: Encode = (value) => String(value ?? null);
const encodeText: Encode = (value) => JSON.stringify(value ?? null);
const encodeFlag: Encode = (value) =>
  value === null || value === undefined ? 'null' : String(value === 1 || value === true);
/** Stored as JSON. */
const encodeJson: Encode = (value) => (typeof value === 'string' ? value : 'null');

const ENCODERS: Record<FieldKind, Encode> = {
  text: encodeText,
  integer: encodeNumber,
  real: encodeNumber,
  flag: encodeFlag,
  time: encodeText,
  choice: encodeText,
  json: encodeJson,
  texts: encodeJson,
  ref: encodeNumber,
  visibility: encodeText,
};

function ownerJson({ owner_id, owner_username }: ListedRow): string {
  return `{"id":${owner_id},"username":${JSON.stringify(owner_username ?? null)}}`;
}
