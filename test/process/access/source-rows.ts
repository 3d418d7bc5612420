import type { Row } from './rows.ts';

const params = { name: 'up' };
let sources = 0;

/** The rows of sources. `up` is for accounts and for tokens with external:read; it is private. */
export const SOURCE_ROWS: Record<string, () => Row> = {
  listSources: () => ({ access: 'admin', other: 403, admin: 200 }),
  createSource: () => ({
    access: 'admin',
    other: 403,
    admin: 201,
    body: { name: `new-${sources++}`, base_url: 'https://api.example.com' },
  }),
  getSource: () => ({ access: 'admin', other: 403, admin: 200, params }),
  updateSource: () => ({ access: 'admin', other: 403, admin: 200, params, body: { retries: 0 } }),
  deleteSource: () => ({ access: 'admin', other: 403, admin: 204, params }),
  dryRunSource: () => ({ access: 'admin', other: 403, admin: 200, params, body: {} }),
  getSourceStats: () => ({ access: 'admin', other: 403, admin: 200, params }),
  callSource: () => ({ access: 'optional', other: 502, admin: 502, anonymous: 401, params }),
  fetchSources: () => ({
    access: 'user',
    other: 200,
    admin: 200,
    body: { calls: [{ source: 'up' }] },
  }),
};
