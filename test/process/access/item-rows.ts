import type { Row } from './rows.ts';

const params = { item_id: 1 };
const body = { title: 'A warm hutch' };

/** The rows of v2's items. Item 1 is ada's and public. */
export const ITEM_ROWS: Record<string, () => Row> = {
  createItemV2: () => ({ access: 'user', other: 201, admin: 201, body }),
  listItemsV2: () => ({ access: 'optional', other: 200, admin: 200 }),
  getItemV2: () => ({ access: 'optional', other: 200, admin: 200, params }),
  updateItemV2: () => ({ access: 'user', other: 403, admin: 200, params, body }),
  deleteItemV2: () => ({ access: 'user', other: 403, admin: 204, params }),
  listPopularItemsV2: () => ({ access: 'public', other: 200, admin: 200 }),
  getItemStats: () => ({ access: 'optional', other: 200, admin: 200, params }),
  viewItem: () => ({ access: 'optional', other: 200, admin: 200, params }),
  listItemRevisions: () => ({ access: 'user', other: 403, admin: 403, params }),
  revertItem: () => ({ access: 'user', other: 403, admin: 403, params, body: { version: 1 } }),
  listenToItems: () => ({ access: 'optional', other: 200, admin: 200 }),
  batchItems: () => ({
    access: 'user',
    other: 200,
    admin: 200,
    body: { operations: [{ op: 'create', item: body }] },
  }),
  importItems: () => ({ access: 'user', other: 200, admin: 200, body }),
  exportItems: () => ({ access: 'user', other: 200, admin: 200 }),
  restoreItem: () => ({ access: 'user', other: 404, admin: 404, params }),
  eraseItem: () => ({ access: 'user', other: 404, admin: 404, params }),
};
