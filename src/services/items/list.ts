import { items } from '../../resources/items.ts';
import { createResourceList, type ResourceListDeps } from '../resources/list/list.ts';
import type { Item } from './rows.ts';

export type ItemFilterField = Exclude<keyof Item, 'description' | 'deleted_at'>;

/** A column of the rows of a list; `tags` and `data` are JSON texts. */
export type ItemColumn = Exclude<keyof Item, 'id'> | 'owner_username';

export const createItemList = (deps: ResourceListDeps) =>
  createResourceList<ItemFilterField, ItemColumn>(items.definition, deps);
