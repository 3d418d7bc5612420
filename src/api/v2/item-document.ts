import type { Deps } from '../../core/deps.ts';
import { ITEM_FIELDS, type ItemDocument, type ItemField } from '../../schemas/items-v2.ts';
import type { Answer } from '../idempotency.ts';
import type { Shown } from './list-query.ts';

type Stored = Awaited<ReturnType<Deps['items']['get']>>;
type Document = typeof ItemDocument.static;

/** An item as v2 shows it: what is kept as JSON, as what it is. */
export function shownItem({ tags, data, ...rest }: Stored): Document {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}

export function createdItem(item: Stored): Answer<Document> {
  return { status: 201, location: `/api/v2/items/${item.id}`, body: shownItem(item) };
}

export function restoredItem(item: Stored): Answer<Document> {
  return { status: 200, body: shownItem(item) };
}

type List = Deps['itemList']['list'];
type Row = Awaited<ReturnType<List>>['data'][number];
type Column = Parameters<List>[1]['columns'][number];

/** Columns that are JSON as they are stored. */
const JSON_COLUMNS = new Set<ItemField>(['tags', 'data']);

/**
 * The columns that `shown` needs and what writes them as JSON. Parsing tags and data to stringify
 * them again would cost as much as reading them; what is left is for the engine's own writer.
 */
export function itemWriter({ fields, hasOwner }: Shown): {
  columns: Column[];
  write(row: Row): string;
} {
  const own = fields.filter((name): name is Exclude<ItemField, 'id'> => name !== 'id');
  const columns: Set<Column> = new Set(own);
  if (hasOwner) columns.add('owner_id').add('owner_username');
  const write = fields === ITEM_FIELDS ? writeWhole : (row: Row) => writeSome(own, row);
  return {
    columns: [...columns],
    write: hasOwner ? (row) => `${write(row).slice(0, -1)},"owner":${ownerJson(row)}}` : write,
  };
}

function writeWhole({ tags, data, owner_username: _, relevance: _r, ...rest }: Row): string {
  return `${JSON.stringify(rest).slice(0, -1)},"tags":${tags},"data":${data}}`;
}

function writeSome(fields: readonly Exclude<ItemField, 'id'>[], row: Row): string {
  const parts = fields.map((name) => {
    return `,"${name}":${JSON_COLUMNS.has(name) ? row[name] : JSON.stringify(row[name])}`;
  });
  return `{"id":${row.id}${parts.join('')}}`;
}

function ownerJson({ owner_id, owner_username }: Row): string {
  return `{"id":${owner_id},"username":${JSON.stringify(owner_username)}}`;
}
