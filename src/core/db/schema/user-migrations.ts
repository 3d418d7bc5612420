import type { Database } from 'bun:sqlite';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../../exceptions.ts';
import { type Queryable, rowsOf } from './shape.ts';

/** A file of the folder `migrations`; `tag` is its name without `.sql`. */
export interface UserMigration {
  tag: string;
  sql: string;
}

const NAME = /^\d{4}_[a-z0-9_]+\.sql$/;
const CREATE = `CREATE TABLE IF NOT EXISTS hutch_user_migrations (
	tag TEXT PRIMARY KEY NOT NULL, hash TEXT NOT NULL
) STRICT`;

/**
 * Reads the migrations of a folder in order; none if it does not exist. Throws StartupError for an
 * SQL file with another name and for two files with one number.
 */
export function readUserMigrations(folder: string): UserMigration[] {
  const files = sqlFilesOf(folder);
  for (const [at, file] of files.entries()) {
    if (!NAME.test(file)) {
      throw new StartupError(`${join(folder, file)} must have a name such as 0001_notes.sql.`);
    }
    const other = files[at - 1];
    if (other?.slice(0, 4) === file.slice(0, 4)) {
      throw new StartupError(`${join(folder, other)} and ${file} have the same number.`);
    }
  }
  return files.map((file) => ({
    tag: file.slice(0, -'.sql'.length),
    sql: readFileSync(join(folder, file), 'utf8'),
  }));
}

/** The name of the next migration, such as 0003_notes. */
export function nextTag(migrations: readonly UserMigration[], name: string): string {
  const number = Number(migrations.at(-1)?.tag.slice(0, 4) ?? 0) + 1;
  return `${String(number).padStart(4, '0')}_${name}`;
}

/**
 * Returns the migrations that the database lacks. Throws StartupError if an applied one was edited
 * or is missing, and for a new one with a lower number than an applied one.
 */
export function pendingMigrations(
  client: Queryable,
  migrations: readonly UserMigration[],
): UserMigration[] {
  const applied = readApplied(client);
  for (const [tag, hash] of applied) {
    const migration = migrations.find((it) => it.tag === tag);
    if (!migration) {
      throw new StartupError(`migrations/${tag}.sql is missing, but the database has applied it.`);
    }
    if (hashOf(migration) !== hash) {
      throw new StartupError(
        `migrations/${tag}.sql was edited after it was applied. Restore it, and put the change into a new migration.`,
      );
    }
  }
  const last = [...applied.keys()].sort().at(-1) ?? '';
  const pending = migrations.filter(({ tag }) => !applied.has(tag));
  const early = pending.find(({ tag }) => tag < last);
  if (early) {
    throw new StartupError(
      `migrations/${early.tag}.sql comes before ${last}, which is already applied. Give it a higher number.`,
    );
  }
  return pending;
}

/** Records that a migration is applied. The caller has opened a transaction. */
export function recordMigration(client: Database, migration: UserMigration): void {
  client.run(CREATE);
  client.run('INSERT INTO hutch_user_migrations VALUES (?, ?)', [migration.tag, hashOf(migration)]);
}

function sqlFilesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readApplied(client: Queryable): Map<string, string> {
  const exists = `SELECT 1 FROM sqlite_master WHERE name = 'hutch_user_migrations'`;
  if (rowsOf(client, exists).length === 0) return new Map();
  const rows = rowsOf<{ tag: string; hash: string }>(client, 'SELECT * FROM hutch_user_migrations');
  return new Map(rows.map(({ tag, hash }) => [tag, hash]));
}

/** Line ends do not count: git may convert them. */
function hashOf({ sql }: UserMigration): string {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}
