import type { Database } from 'bun:sqlite';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { LOCK_PATIENCE_MS } from './db/busy.ts';
import type { Db } from './db/db.ts';
import type { Log } from './log.ts';

/** More than the events of any second: ids of a later second start above all ids of this one. */
const IDS_PER_SECOND = 2 ** 20;

/** A restore is missed if its file replaced the old one less than this time before a crash. */
const NOTE_EVERY_MS = 5_000;

/** A record, outside of the database, of its file and the newest ids of its events. */
interface Witness {
  inode: number;
  born_ms: number;
  /** The newest id of all. */
  newest: number;
  /** The newest ids by table; missing in a record that is older than the second table. */
  ids?: Newest;
}

/** The newest id of each table of events that has had one. */
type Newest = Record<string, number>;

export interface EventIdsOptions {
  /** The database file. The witness is stored next to it, in `hutch.events`. */
  path: string;
  db: Db & { readonly client: Database };
  log: Log;
  /** The tables of events. */
  tables: readonly string[];
  /** True if this process has just created the database. */
  isNew: boolean;
  now(): Date;
}

/**
 * Ensures that event ids are never reused, even after a backup is restored: clients that resume
 * after a lost event would miss events. If the file was replaced or has fewer events than
 * recorded, new ids start above all ids that may have been used.
 */
export function openEventIds({ path, db, log, tables, isNew, now }: EventIdsOptions) {
  const { client } = db;
  const witnessPath = `${path.replace(/\.db$/, '')}.events`;
  const seen = readWitness(witnessPath);
  const ids = newestIds(sequencesOf(client), tables);
  if (isRestored(seen, identityOf(path), ids, isNew)) {
    const next = Math.floor(now().getTime() / 1000) * IDS_PER_SECOND;
    startAt(client, tables, Math.max(next, newestOf(ids), seen?.newest ?? 0));
    if (seen) log.info('The database was replaced: event ids continue above the earlier ones.');
  }
  let written: string | undefined;
  const record = (current: Newest) => {
    const text = JSON.stringify(current);
    if (text === written) return;
    try {
      const witness = { newest: newestOf(current), ids: current };
      writeWitness(witnessPath, { ...identityOf(path), ...witness });
      written = text;
    } catch (error) {
      log.warn('The newest event id could not be recorded.', { error });
    }
  };
  record(newestIds(sequencesOf(client), tables));
  /** Records the newest event ids. */
  const note = async (): Promise<void> =>
    record(newestIds(await db.read.orm.all<Sequence>(sql.raw(SEQUENCES)), tables));
  return {
    note,
    job: { name: 'event ids', everyMs: NOTE_EVERY_MS, run: () => note().then(() => false) },
  };
}

type Sequence = { name: string; seq: number };

const SEQUENCES = 'SELECT name, seq FROM sqlite_sequence';

function sequencesOf(client: Database): Sequence[] {
  return client.query(SEQUENCES).all() as Sequence[];
}

function newestIds(rows: Sequence[], tables: readonly string[]): Newest {
  const ids = rows.filter(({ name }) => tables.includes(name));
  return Object.fromEntries(ids.map(({ name, seq }) => [name, seq]));
}

function newestOf(ids: Newest): number {
  return Math.max(0, ...Object.values(ids));
}

/** Unnecessary new ids do no harm: clients resume after an event that still exists. */
function isRestored(
  seen: Witness | undefined,
  { inode, born_ms }: Pick<Witness, 'inode' | 'born_ms'>,
  ids: Newest,
  isNew: boolean,
): boolean {
  if (!seen) return !isNew;
  if (seen.inode !== inode || seen.born_ms !== born_ms) return true;
  const known = seen.ids ?? { item_events: seen.newest };
  return Object.entries(known).some(([table, newest]) => newest > (ids[table] ?? 0));
}

function startAt(client: Database, tables: readonly string[], seq: number): void {
  client.run(`PRAGMA busy_timeout = ${LOCK_PATIENCE_MS}`);
  client.transaction(() => {
    for (const table of tables) {
      client.run('DELETE FROM sqlite_sequence WHERE name = ?', [table]);
      client.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', [table, seq]);
    }
  })();
  client.run('PRAGMA busy_timeout = 0');
}

function identityOf(path: string) {
  const { ino: inode, birthtimeMs: born_ms } = statSync(path);
  return { inode, born_ms };
}

function readWitness(path: string): Witness | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Witness;
  } catch {
    // Missing, or cut short by a power failure.
    return undefined;
  }
}

function writeWitness(path: string, witness: Witness): void {
  writeFileSync(`${path}.new`, JSON.stringify(witness), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
