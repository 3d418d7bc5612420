import {
  ITEM_FIELDS,
  type ItemDocument,
  type ItemField,
  SPARSE_TYPE,
} from '../../../schemas/items/items-v2.ts';
import type { ItemColumn } from '../../../services/items/list.ts';
import type { Item } from '../../../services/items/rows.ts';
import type { ListedRow } from '../../../services/resources/list/query.ts';

import type { KeyedResponse } from '../../responses/idempotency.ts';
import type { Selection } from './list-query.ts';

type Document = typeof ItemDocument.static;

/** An item as v2 returns it, with tags and data parsed. */
export function shownItem({ tags, data, ...rest }: Item): Document {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}

export function createdItem(item: Item): KeyedResponse<Document> {
  return { status: 201, location: `/api/v2/items/${item.id}`, body: shownItem(item) };
}

export function restoredItem(item: Item): KeyedResponse<Document> {
  return { status: 200, body: shownItem(item) };
}

/** Columns that are stored as JSON. */
const JSON_COLUMNS = new Set<ItemField>(['tags', 'data']);

/**
 * The columns of a selection, and a function that encodes a row as JSON. It copies stored JSON:
 * parsing and encoding tags and data again would cost as much as reading them.
 */
export function itemWriter({ fields, hasOwner }: Selection): {
  columns: ItemColumn[];
  write(row: ListedRow): string;
} {
  const names = fields.filter((name): name is Exclude<ItemField, 'id'> => name !== 'id');
  const columns: Set<ItemColumn> = new Set(names);
  if (hasOwner) columns.add('owner_id').add('owner_username');
  const write = fields === ITEM_FIELDS ? writeWhole : (row: ListedRow) => writeSome(names, row);
  return {
    columns: [...columns],
    write: hasOwner ? (row) => `${write(row).slice(0, -1)},"owner":${ownerJson(row)}}` : write,
  };
}

/** The headers of a response with a selection: sparse items have their own media type. */
export function shownHeaders({ fields }: Selection): Record<string, string> {
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
