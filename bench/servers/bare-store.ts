import { Database } from 'bun:sqlite';

export interface ItemRow {
  id: number;
  title: string;
  description: string;
  url: string | null;
  views: number;
  owner_id: number;
  created_at: string;
  updated_at: string;
}

interface UserRow {
  id: number;
  email: string;
  username: string;
  is_active: number;
  created_at: string;
}

/** The settings of Hutch's own connections. */
const PRAGMAS = [
  'busy_timeout = 5000',
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
  'trusted_schema = OFF',
  'cell_size_check = ON',
  'journal_size_limit = 67108864',
  'temp_store = MEMORY',
  'cache_size = -32000',
];
const ITEM = 'id, title, description, url, views, owner_id, created_at, updated_at';
const LISTED = "visibility = 'public' AND deleted_at IS NULL";
const JOINED = 'items JOIN item_views ON item_id = id';

/** Opens a database that Hutch has migrated and prepares every statement once. */
export function openStatements(path: string) {
  const client = new Database(path, { strict: true, readwrite: true });
  for (const pragma of PRAGMAS) client.run(`PRAGMA ${pragma}`);
  return {
    identity: client.prepare<{ id: number; role: string }, [string, string]>(
      `SELECT id, role FROM users WHERE is_active = 1 AND id =
       (SELECT user_id FROM sessions WHERE token_hash = ? AND expires_at > ?)`,
    ),
    userById: client.prepare<UserRow, [number]>(
      'SELECT id, email, username, is_active, created_at FROM users WHERE id = ?',
    ),
    userByLogin: client.prepare<{ id: number; password_hash: string }, [string, string]>(
      'SELECT id, password_hash FROM users WHERE email_key = ? OR username_key = ? LIMIT 1',
    ),
    itemPage: client.prepare<ItemRow, [number, number]>(
      `SELECT ${ITEM} FROM ${JOINED} WHERE ${LISTED} ORDER BY id LIMIT ? OFFSET ?`,
    ),
    popular: client.prepare<ItemRow, [number]>(
      `SELECT ${ITEM} FROM item_views JOIN items ON id = item_id WHERE is_listed = 1
       ORDER BY views DESC, item_id LIMIT ?`,
    ),
    addView: client.prepare<never, [number]>(
      `UPDATE item_views SET views = views + 1, day = day + 1, week = week + 1, month = month + 1
       WHERE item_id = ?`,
    ),
    addHour: client.prepare<never, [number, number]>(
      `INSERT INTO item_hours (hour, item_id, views) VALUES (?, ?, 1)
       ON CONFLICT DO UPDATE SET views = views + 1`,
    ),
    item: client.prepare<ItemRow, [number]>(
      `SELECT ${ITEM} FROM ${JOINED} WHERE id = ? AND ${LISTED}`,
    ),
    insertItem: client.prepare<ItemRow, [string, string, string | null, number, string, string]>(
      `INSERT INTO items (title, description, url, owner_id, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?) RETURNING ${ITEM.replace('views', '0 AS views')}`,
    ),
    insertEvent: client.prepare<never, [number, number, string]>(
      `INSERT INTO item_events (type, item_id, owner_id, audience, version, at)
       VALUES ('created', ?, ?, 'all', 1, ?)`,
    ),
    transaction: client.transaction((work: () => unknown) => work()).immediate,
    insertSession: client.prepare<never, [number, string, string, string]>(
      `INSERT INTO sessions (user_id, token_hash, created_at, last_used_at, expires_at)
       VALUES (?1, ?2, ?3, ?3, ?4)`,
    ),
  };
}
