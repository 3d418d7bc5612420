import {
  ITEM_FIELDS,
  type ItemDocument,
  type ItemField,
  SPARSE_TYPE,
} from '../../../schemas/items/items-v2.ts';
import type { ItemColumn, ListedRow } from '../../../services/items/list/query.ts';
import type { Item } from '../../../services/items/rows.ts';
import type { Answer } from '../../responses/idempotency.ts';
import type { Shown } from './list-query.ts';

type Document = typeof ItemDocument.static;

/** An item as v2 shows it: what is kept as JSON, as what it is. */
export function shownItem({ tags, data, ...rest }: Item): Document {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}

export function createdItem(item: Item): Answer<Document> {
  return { status: 201, location: `/api/v2/items/${item.id}`, body: shownItem(item) };
}

export function restoredItem(item: Item): Answer<Document> {
  return { status: 200, body: shownItem(item) };
}

/** Columns that are JSON as they are stored. */
const JSON_COLUMNS = new Set<ItemField>(['tags', 'data']);

/**
 * The columns that `shown` needs and what writes them as JSON. Parsing tags and data to stringify
 * them again would cost as much as reading them; what is left is for the engine's own writer.
 */
export function itemWriter({ fields, hasOwner }: Shown): {
  columns: ItemColumn[];
  write(row: ListedRow): string;
} {
  const own = fields.filter((name): name is Exclude<ItemField, 'id'> => name !== 'id');
  const columns: Set<ItemColumn> = new Set(own);
  if (hasOwner) columns.add('owner_id').add('owner_username');
  const write = fields === ITEM_FIELDS ? writeWhole : (row: ListedRow) => writeSome(own, row);
  return {
    columns: [...columns],
    write: hasOwner ? (row) => `${write(row).slice(0, -1)},"owner":${ownerJson(row)}}` : write,
  };
}

/** The headers of a response with these items: a sparse one has a media type of its own. */
export function shownHeaders({ fields }: Shown): Record<string, string> {
  return fields === ITEM_FIELDS ? {} : { 'content-type': SPARSE_TYPE };
}

function writeWhole({ tags, data, owner_username: _, relevance: _r, ...rest }: ListedRow): string {
  return `${JSON.stringify(rest).slice(0, -1)},"tags":${tags},"data":${data}}`;
}

function writeSome(fields: readonly Exclude<ItemField, 'id'>[], row: ListedRow): string {
  const parts = fields.map((name) => {
    return `,"${name}":${JSON_COLUMNS.has(name) ? row[name] : JSON.stringify(row[name])}`;
  });
  return `{"id":${row.id}${parts.join('')}}`;
}

function ownerJson({ owner_id, owner_username }: ListedRow): string {
  return `{"id":${owner_id},"username":${JSON.stringify(owner_username)}}`;
}
