import type { Database } from 'bun:sqlite';
import { tokenOf } from './seed.ts';

/** A request that may hold the event loop. */
export interface Blocker {
  name: string;
  path: string;
  token?: string;
}

const ADMIN = 1;
/** Has many private items. */
const OWNER = 2;
const AT = '2026-01-01T00:00:00.000Z';
const COMMON =
  'wood straw warm roof small large cheap green rabbit garden winter summer paint door window wire floor shelf light quiet what there is to say about item number';

/** Adds accounts, audit entries, private and large items, and words that never go together. */
export function addLoads(client: Database, size: number): void {
  client.run(`update users set role = 'admin' where id = ?`, [ADMIN]);
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
     insert into users (email, email_key, username, username_key, is_active, role, created_at, updated_at)
     select 'seed' || i || '@bench.example', 'seed' || i || '@bench.example', 'seed' || i, 'seed' || i, 1, 'user', ?2, ?2 from n`,
    [size, AT],
  );
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
     insert into audit_log (at, actor_id, action, user_id, details)
     select ?2, 1 + i % 1000, 'session.opened', 1 + i % 1000, '{}' from n`,
    [size, AT],
  );
  const item = `insert into items (owner_id, title, description, data, visibility, created_at, updated_at)`;
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
     ${item} select ${OWNER}, 'Mine ' || i, 'private words of all kinds ' || i, '{}', 'private', ?1, ?1 from n`,
    [AT],
  );
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
     ${item} select 3, iif(i % 2, 'odd', 'even') || ' thing', '', '{}', 'public', ?2, ?2 from n`,
    [Math.floor(size / 4), AT],
  );
  const data = JSON.stringify({ list: Array.from({ length: 6_000 }, (_, n) => n % 10_000) });
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
     ${item} select 4, 'Large ' || i, '', ?1, 'public', ?2, ?2 from n`,
    [data, AT],
  );
}

const items = (query: string) => `/api/v2/items?${query}`;
const admin = { token: tokenOf(ADMIN) };
const owner = { token: tokenOf(OWNER) };

/** Every kind of query whose cost grows with the data. */
export const BLOCKERS: Blocker[] = [
  { name: 'search, 28 common words', path: items(`q=${COMMON.replaceAll(' ', '+')}`) },
  { name: 'search, one common word', path: items('q=item') },
  { name: 'search, start of common words', path: items('q=numb') },
  { name: 'search, start of many words', path: items('q=1') },
  { name: 'search, two words that never meet', path: items('q=odd+even') },
  { name: 'search, common and rare', path: items('q=item+77') },
  { name: 'search, sorted by title', path: items('q=item&sort=title') },
  { name: 'search, count', path: items('q=item&count=exact') },
  { name: 'search, filtered', path: items('q=item&filter[data.n][eq]=1') },
  { name: 'search, own private items', path: items('q=private+kinds'), ...owner },
  { name: 'count', path: items('count=exact&limit=1') },
  { name: 'count, filtered', path: items('count=exact&limit=1&filter[title][like]=*x*') },
  { name: 'filter by data, large', path: items('filter[data.n][eq]=1') },
  { name: 'filter by owner, sorted by title', path: items('filter[owner_id][eq]=3&sort=title') },
  {
    name: 'filter by owner, sorted by views',
    path: items('filter[owner_id][eq]=2&sort=-views'),
    ...owner,
  },
  {
    name: 'filter by tags, sorted by views',
    path: items('filter[tags][in]=wood,straw&sort=-views'),
  },
  { name: 'sorted by views and title', path: items('sort=-views,title') },
  { name: 'sorted by title and time', path: items('sort=title,-created_at') },
  { name: 'sorted by views, own', path: items('sort=-views'), ...owner },
  { name: 'expand owner, 100', path: items('expand=owner&limit=100') },
  { name: '100 large items', path: items('filter[owner_id][eq]=4&limit=100') },
  { name: 'v1 skip, far', path: '/api/v1/items/?skip=199900&limit=100' },
  { name: 'v1 skip, beyond', path: '/api/v1/items/?skip=2147483647&limit=100' },
  { name: 'v1 popular', path: '/api/v1/items/popular?limit=100' },
  { name: 'popular, a month', path: '/api/v2/items/popular?window=month&limit=100' },
  { name: 'stats of a year', path: '/api/v2/items/1/stats?window=year' },
  { name: 'revisions', path: '/api/v2/items/2/revisions', token: tokenOf(3) },
  { name: 'users, skip', path: '/api/v1/users/?skip=199900&limit=100', ...admin },
  { name: 'users, filtered', path: '/api/v2/users?is_active=false', ...admin },
  { name: 'users, start of a name', path: '/api/v2/users?q=seed&sort=-created_at', ...admin },
  { name: 'users, count', path: '/api/v2/users?count=exact&q=s', ...admin },
  {
    name: 'audit log, rare action',
    path: '/api/v2/audit-log?action=source.deleted&user_id=5',
    ...admin,
  },
  { name: 'audit log, a time', path: '/api/v2/audit-log?from=2030-01-01T00:00:00Z', ...admin },
  {
    name: 'audit log, two filters',
    path: '/api/v2/audit-log?action=session.opened&actor_id=5&user_id=6',
    ...admin,
  },
  { name: 'system stats', path: '/api/v2/system/stats', ...admin },
  { name: 'export, all', path: '/api/v2/items/export', ...admin },
];
