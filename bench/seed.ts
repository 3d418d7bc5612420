import { Database } from 'bun:sqlite';
import { indexItems, insertItems } from './seed-items.ts';

export const ITEM_COUNT = 100_000;
export const USER_COUNT = 1_000;
/** The one account that is an admin. */
export const ADMIN_ID = 1_000;
export const PASSWORD = 'a long enough password';

const CREATED_AT = '2026-11-22T16:00:00.000Z';
const EXPIRES_AT = '2099-01-01T00:00:00.000Z';

/** The token of the session that every user has. */
export function tokenOf(userId: number): string {
  return new Bun.CryptoHasher('sha256').update(`bench ${userId}`).digest('base64url');
}

/** Fills a database that Hutch has migrated, then writes a copy of it to `copyPath`. */
export async function seed(path: string, copyPath: string): Promise<void> {
  const client = new Database(path, { strict: true, readwrite: true });
  client.run('PRAGMA foreign_keys = ON');
  await seedUsers(client);
  client.transaction(() => insertItems(client, 1, ITEM_COUNT))();
  client.transaction(() => indexItems(client))();
  client.run('ANALYZE');
  client.run('PRAGMA wal_checkpoint(TRUNCATE)');
  client.run('VACUUM INTO ?', [copyPath]);
  client.close();
}

/** Puts in the accounts, with a session each. */
export async function seedUsers(client: Database): Promise<void> {
  const settings = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
  const hash = await Bun.password.hash(PASSWORD, settings);
  client.transaction(() => insertUsers(client, hash))();
}

function insertUsers(client: Database, hash: string): void {
  const user = client.prepare(
    `INSERT INTO users (id, email, email_key, username, username_key, password_hash, is_active,
       role, created_at, updated_at) VALUES (?1, ?2, ?2, ?3, ?3, ?4, 1,
       iif(?1 = ${ADMIN_ID}, 'admin', 'user'), ?5, ?5)`,
  );
  const session = client.prepare(
    `INSERT INTO sessions (user_id, token_hash, created_at, last_used_at, expires_at)
     VALUES (?1, ?2, ?3, ?3, ?4)`,
  );
  for (let id = 1; id <= USER_COUNT; id++) {
    user.run(id, `user${id}@example.com`, `user${id}`, hash, CREATED_AT);
    session.run(id, Bun.SHA256.hash(tokenOf(id), 'hex'), new Date().toISOString(), EXPIRES_AT);
  }
}
