import type { Database } from 'bun:sqlite';
import { StartupError } from '../exceptions.ts';
import { renewAccountKeys } from './account-keys.ts';
import { isBusy, LOCK_PATIENCE_MS } from './busy.ts';
import { embeddedMigrations } from './embedded-migrations.ts' with { type: 'macro' };
import type { Migration } from './embedded-migrations.ts';

/** Code that runs after the SQL of a migration, in the same transaction. */
const CODE: Record<string, (client: Database) => void> = { '0016_account_keys': renewAccountKeys };

/** The migrations of this build, oldest first. */
export const KNOWN_MIGRATIONS: Migration[] = embeddedMigrations();

/**
 * Applies the missing `migrations` in one transaction under SQLite's write lock, and returns their
 * tags. Throws StartupError and changes nothing if the database is newer than this build or an
 * applied migration has changed.
 */
export function migrate(client: Database, migrations = KNOWN_MIGRATIONS): string[] {
  return inMigration(client, () => applyMissing(client, migrations));
}

/**
 * Runs `work` in one transaction under SQLite's write lock, with foreign keys off: otherwise dropping
 * a table would empty those that refer to it. Throws StartupError if the lock is not free, and what
 * `work` throws, and then changes nothing.
 */
export function inMigration<T>(client: Database, work: () => T): T {
  // It cannot be changed inside a transaction.
  client.run('PRAGMA foreign_keys = OFF');
  client.run(`PRAGMA busy_timeout = ${LOCK_PATIENCE_MS}`);
  try {
    client.run('BEGIN IMMEDIATE');
    const result = work();
    client.run('COMMIT');
    return result;
  } catch (error) {
    if (client.inTransaction) client.run('ROLLBACK');
    if (isBusy(error)) throw new StartupError('Another process has locked the database.');
    throw error;
  } finally {
    client.run('PRAGMA busy_timeout = 0');
    client.run('PRAGMA foreign_keys = ON');
  }
}

/** Applies the missing `migrations` inside a transaction, and returns their tags. */
export function applyMissing(client: Database, migrations: Migration[]): string[] {
  client.run(
    'CREATE TABLE IF NOT EXISTS hutch_migrations (tag TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT',
  );
  const missing = missingMigrations(client, migrations);
  for (const { tag, sql } of missing) {
    client.run(sql);
    CODE[tag]?.(client);
    client.run('INSERT INTO hutch_migrations VALUES (?, ?)', [tag, hash(sql)]);
  }
  // The check reads every row with a foreign key: a start without migrations must not wait for it.
  if (missing.length > 0) checkForeignKeys(client);
  return missing.map(({ tag }) => tag);
}

/** Throws StartupError if a row refers to a row that does not exist. */
export function checkForeignKeys(client: Database): void {
  const broken = client.query('PRAGMA foreign_key_check').all() as {
    table: string;
    parent: string;
  }[];
  const [first] = broken;
  if (!first) return;
  throw new StartupError(
    `A migration would leave rows with invalid foreign keys: ${broken.length}, such as in ${first.table}, whose rows in ${first.parent} are missing.`,
  );
}

function missingMigrations(client: Database, migrations: Migration[]): Migration[] {
  const rows = client.query('SELECT tag, hash FROM hutch_migrations').all() as {
    tag: string;
    hash: string;
  }[];
  const applied = new Map(rows.map((row) => [row.tag, row.hash]));
  const known = new Map(migrations.map((step) => [step.tag, hash(step.sql)]));
  for (const [tag, oldHash] of applied) {
    const newHash = known.get(tag);
    if (!newHash) {
      throw new StartupError(
        `The database is newer than this hutch: it contains migration ${tag}. Use a newer hutch.`,
      );
    }
    if (newHash !== oldHash)
      throw new StartupError(`Migration ${tag} was changed after it was applied.`);
  }
  return migrations.filter((step) => !applied.has(step.tag));
}

function hash(sql: string): string {
  return new Bun.CryptoHasher('sha256').update(sql).digest('hex');
}
