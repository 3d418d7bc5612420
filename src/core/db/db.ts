import { constants, Database } from 'bun:sqlite';
import { chmodSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite';
import { StartupError } from '../exceptions.ts';
import type { Log } from '../log.ts';
import { isBusy, LOCK_PATIENCE_MS } from './busy.ts';
import { createLogMover, type LogState, TICK_MS } from './checkpoints.ts';
import { migrate } from './migrations.ts';
import { portableTables, replaceTables, strictTables } from './portable-schema.ts';
import { readRecords } from './schema/records.ts';
import { copySchema } from './schema/rehearsal.ts';
import { type FolderSchema, type Upgrade, upgrade } from './schema/upgrade.ts';
import { pendingMigrations } from './schema/user-migrations.ts';
import { opening, type StorageFault } from './storage-error.ts';
import type { Tx } from './transaction.ts';
import { createWriter, type Writer, type WriterStats } from './writer.ts';

/** A connection for queries: the reader, or a writer's transaction. */
export interface Session {
  readonly orm: BunSQLiteDatabase;
}

/** The unit of work. */
export interface Db {
  /** The reader: sees only committed data. */
  readonly read: Session;
  /**
   * One transaction: commits when `work` returns, rolls back when it throws, and resolves only
   * after the commit is on disk. `work` must not wait for the network, a hash or a timer.
   * Throws database_busy, storage_full, storage_failed and what `work` throws.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  stats(): DbStats;
  /** The writer's counters. Does not query the database. */
  writes(): WriterStats;
  /**
   * The reason if the database cannot be read or the last write failed; otherwise undefined. After
   * a failed write, a test write runs every second until one succeeds.
   */
  fault(): StorageFault | undefined;
  /** Moves the write-ahead log into the file and empties it, unless another process reads. */
  moveLog(): Promise<void>;
  /** Frees the pages that SQLite caches; later queries read them again. */
  shrink(): void;
  /** Waits for the queued writes, moves the write-ahead log into the file and closes it. */
  close(): Promise<void>;
}

export interface DbStats extends WriterStats {
  write_ahead_log: LogState;
}

export interface DbOptions {
  log: Log;
  /** True for a command next to a server: it waits longer for the lock and pauses between transactions. */
  isCommand?: boolean;
  /** A write that waits longer for the lock fails with database_busy. */
  lockPatienceMs?: number;
}

/** WAL reset corruption was fixed in 3.51.3 (sqlite.org/wal.html#walresetbug). */
const MIN_SQLITE = [3, 51, 3];
const JOURNAL_BYTES = 64 * 1024 * 1024;

/** No requests are served while a connection opens and migrates, so SQLite may block on locks. */
const OPENING_PATIENCE_MS = 5_000;
const COMMAND_PATIENCE_MS = 60_000;
/** Longer than a server's wait between two attempts, so that it gets the lock. */
const COMMAND_PAUSE_MS = 15;
const PROBE_MS = 1_000;

const PRAGMAS: [name: string, value: string, readBack: string | number][] = [
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', 'FULL', 2],
  ['foreign_keys', 'ON', 1],
  // Deleted data is erased from the file too: a sent mail contains a token.
  ['secure_delete', 'ON', 1],
  ['trusted_schema', 'OFF', 0],
  ['cell_size_check', 'ON', 1],
  ['journal_size_limit', String(JOURNAL_BYTES), JOURNAL_BYTES],
  ['temp_store', 'MEMORY', 2],
  ['cache_size', '-8000', -8000],
  // createLogMover checkpoints: SQLite itself would retry at each commit while a reader blocks it.
  ['wal_autocheckpoint', '0', 0],
];

/** Opens the database file with mode 0600, and creates it if missing. Throws StartupError. */
export function openDb(path: string, options: DbOptions): Db & { readonly client: Database } {
  const { log, isCommand = false } = options;
  const { lockPatienceMs = isCommand ? COMMAND_PATIENCE_MS : LOCK_PATIENCE_MS } = options;
  const writer = createWriter({
    log,
    dir: dirname(path),
    connect: () => connect(path),
    lockPatienceMs,
    pauseMs: isCommand ? COMMAND_PAUSE_MS : 0,
    onCommit: () => mover.afterCommit(),
  });
  const reader = connect(path);
  reader.run('PRAGMA query_only = ON');
  for (const suffix of ['', '-wal', '-shm']) chmodSync(`${path}${suffix}`, 0o600);
  const mover = createLogMover({ path, log, reader, client: () => writer.client });
  const timers = [
    setInterval(() => writer.between(mover.tick), TICK_MS),
    setInterval(() => writer.fault() && probe(writer), PROBE_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    get client() {
      return writer.client;
    },
    read: { orm: drizzle(reader) },
    write: writer.write,
    writes: writer.stats,
    stats: () => ({ ...writer.stats(), write_ahead_log: mover.state() }),
    fault: () => (canRead(reader) ? writer.fault() : 'storage_failed'),
    moveLog: () => new Promise((resolve) => writer.between(() => resolve(mover.empty()))),
    shrink: () => {
      reader.run('PRAGMA shrink_memory');
      writer.between(() => writer.client.run('PRAGMA shrink_memory'));
    },
    close: () => {
      for (const timer of timers) clearInterval(timer);
      return close(reader, writer);
    },
  };
}

/** Rewrites a page unchanged: if this succeeds, the fault ends. */
function probe(writer: Writer): void {
  const touch = async () => {
    const [version] = writer.client.query('PRAGMA user_version').values()[0] ?? [];
    writer.client.run(`PRAGMA user_version = ${Number(version)}`);
  };
  // The writer records a failure.
  writer.write(touch).catch(() => {});
}

/**
 * Migrates the database file to the schema of this build, in a form that SQLite 3.34 can read, and
 * returns the applied migrations. Creates the file if missing. No other connection of this process
 * may be open. Throws StartupError.
 */
export function prepareDb(path: string): string[] {
  return opening(path, () => prepare(path, migrate));
}

/** Like prepareDb, with the tables of a folder of resources. Throws SchemaRefusal too. */
export function upgradeDb(path: string, folder: FolderSchema): Upgrade {
  return opening(path, () => {
    if (existsSync(path)) makeAlterable(path, folder);
    return prepare(path, (client) => upgrade(client, folder));
  });
}

/**
 * Returns what upgradeDb would apply, by applying it to an empty copy in memory: it neither locks
 * nor creates the file. Throws what upgradeDb throws, except for failures that depend on rows.
 */
export function previewUpgrade(path: string, folder: FolderSchema): Upgrade {
  using copy = new Database(':memory:', { strict: true });
  if (existsSync(path)) opening(path, () => copyFile(path, copy));
  return upgrade(copy, folder, { isEmptyCopy: true });
}

function copyFile(path: string, copy: Database): void {
  using client = new Database(path, { strict: true, readonly: true });
  const definitions = strictTables(client, recordedTables(client));
  copySchema(client, (sql, ...values) => copy.run(sql, values), definitions);
}

/** Makes the tables of resources STRICT before migrations run: only then can SQLite drop a column. */
function makeAlterable(path: string, { migrations }: FolderSchema): void {
  using client = connect(path);
  const isDue = pendingMigrations(client, migrations).length > 0;
  const tables = isDue ? strictTables(client, recordedTables(client)) : [];
  client.close(true);
  if (tables.length > 0) replaceTables(path, tables);
}

function recordedTables(client: Database): string[] {
  return readRecords(client)
    .filter(({ kind }) => kind === 'table')
    .map(({ name }) => name);
}

function prepare<T>(path: string, change: (client: Database) => T): T {
  using client = connect(path);
  chmodSync(path, 0o600);
  const makePortable = () => {
    const tables = portableTables(client);
    client.close(true);
    if (tables.length > 0) replaceTables(path, tables);
  };
  let result: T;
  try {
    result = change(client);
  } catch (error) {
    try {
      makePortable();
    } catch {
      // The next start repeats it.
    }
    throw error;
  }
  makePortable();
  return result;
}

function connect(path: string): Database {
  return opening(path, () => configured(path));
}

function configured(path: string): Database {
  const client = new Database(path, { strict: true, create: true, readwrite: true });
  client.run(`PRAGMA busy_timeout = ${OPENING_PATIENCE_MS}`);
  const version = (client.query('select sqlite_version() as v').get() as { v: string }).v;
  if (isOlder(version.split('.').map(Number), MIN_SQLITE)) {
    throw new StartupError(
      `SQLite ${version} is too old: ${MIN_SQLITE.join('.')} or newer is required.`,
    );
  }
  for (const [name, value, expected] of PRAGMAS) {
    client.run(`PRAGMA ${name} = ${value}`);
    const [found] = client.query(`PRAGMA ${name}`).values()[0] ?? [];
    if (found !== expected) {
      throw new StartupError(`PRAGMA ${name} is ${found} but must be ${expected}.`);
    }
  }
  // From now on a timer waits for locks: SQLite would block the whole process.
  client.run('PRAGMA busy_timeout = 0');
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
  } catch (error) {
    return isBusy(error);
  }
}

async function close(reader: Database, writer: Writer): Promise<void> {
  await writer.idle();
  reader.close(true);
  const { client } = writer;
  client.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 0);
  client.run('PRAGMA wal_checkpoint(TRUNCATE)');
  // Closes prepared statements too: otherwise the file and its log would stay open.
  client.close(true);
}
