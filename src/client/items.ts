import type { App } from '../app.ts';

type Routes = App['~Routes']['api']['v2']['items'];

/** An item as it is read. */
export type ItemDocument = Routes['post']['response'][201];
/** A new item. */
export type ItemNew = Routes['post']['body'];
/** A change of an item: missing fields stay unchanged. */
export type ItemPatch = Routes[':item_id']['patch']['body'];
