import { constants, Database } from 'bun:sqlite';
import { chmodSync } from 'node:fs';
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite';
import { StartupError } from './exceptions.ts';
import { createWriter, type Tx, type Writer, type WriterStats } from './writer.ts';

/** Something that queries run on: the reader, or a writer's transaction. */
export interface Session {
  readonly orm: BunSQLiteDatabase;
}

/** The unit of work. */
export interface Db {
  /** For reads: sees only what is committed. */
  readonly read: Session;
  /**
   * One transaction: commits when `work` returns, rolls back when it throws, and resolves only
   * after the commit is on disk. `work` must not wait for the network, a hash or a timer.
   * Throws database_busy, storage_full and storage_failed beside what `work` throws.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  stats(): WriterStats;
  /** Whether the file can be read. */
  isReady(): Promise<boolean>;
  /** Waits for the queued writes, moves the write-ahead log into the file and closes it. */
  close(): Promise<void>;
}

/** WAL reset corruption was fixed in 3.51.3 (sqlite.org/wal.html#walresetbug). */
const MIN_SQLITE = [3, 51, 3];
const JOURNAL_BYTES = 64 * 1024 * 1024;

/** In this order: busy_timeout first, so that the switch to WAL itself may wait for a lock. */
const PRAGMAS: [name: string, value: string, readBack: string | number][] = [
  ['busy_timeout', '5000', 5000],
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', 'FULL', 2],
  ['foreign_keys', 'ON', 1],
  // What is deleted is gone from the file too: a mail that was sent holds a token.
  ['secure_delete', 'ON', 1],
  ['trusted_schema', 'OFF', 0],
  ['cell_size_check', 'ON', 1],
  ['journal_size_limit', String(JOURNAL_BYTES), JOURNAL_BYTES],
  ['temp_store', 'MEMORY', 2],
  ['cache_size', '-8000', -8000],
];

/** Opens the database file, 0600, and creates it if it is not there. Throws StartupError. */
export function openDb(path: string): Db & { client: Database } {
  const client = connect(path);
  const reader = connect(path);
  reader.run('PRAGMA query_only = ON');
  for (const suffix of ['', '-wal', '-shm']) chmodSync(`${path}${suffix}`, 0o600);
  const writer = createWriter(client, drizzle(client));
  return {
    client,
    read: { orm: drizzle(reader) },
    write: writer.write,
    stats: writer.stats,
    isReady: async () => canRead(reader),
    close: () => close(client, reader, writer),
  };
}

function connect(path: string): Database {
  const client = new Database(path, { strict: true, create: true, readwrite: true });
  const version = (client.query('select sqlite_version() as v').get() as { v: string }).v;
  if (isOlder(version.split('.').map(Number), MIN_SQLITE)) {
    throw new StartupError(`SQLite ${version} is too old: ${MIN_SQLITE.join('.')} is needed.`);
  }
  for (const [name, value, expected] of PRAGMAS) {
    client.run(`PRAGMA ${name} = ${value}`);
    const [found] = client.query(`PRAGMA ${name}`).values()[0] ?? [];
    if (found !== expected) {
      throw new StartupError(`PRAGMA ${name} is ${found} where ${expected} is needed.`);
    }
  }
  return client;
}

function isOlder(version: number[], floor: number[]): boolean {
  for (const [index, least] of floor.entries()) {
    const part = version[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function canRead(reader: Database): boolean {
  try {
    return reader.query('SELECT count(*) FROM hutch_migrations').values().length === 1;
  } catch {
    return false;
  }
}

async function close(client: Database, reader: Database, writer: Writer): Promise<void> {
  await writer.idle();
  reader.close(true);
  client.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 0);
  client.run('PRAGMA wal_checkpoint(TRUNCATE)');
  // With its prepared statements: one left open would keep the file and its log.
  client.close(true);
}
