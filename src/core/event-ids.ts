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

/** A record, outside of the database, of its file and its newest event. */
interface Witness {
  inode: number;
  born_ms: number;
  newest: number;
}

export interface EventIdsOptions {
  /** The database file. The witness is stored next to it, in `hutch.events`. */
  path: string;
  db: Db & { readonly client: Database };
  log: Log;
  /** True if this process has just created the database. */
  isNew: boolean;
  now(): Date;
}

/**
 * Ensures that event ids are never reused, even after a backup is restored: clients that resume
 * after a lost event would miss events. If the file was replaced or has fewer events than
 * recorded, new ids start above all ids that may have been used.
 */
export function openEventIds({ path, db, log, isNew, now }: EventIdsOptions) {
  const { client } = db;
  const witnessPath = `${path.replace(/\.db$/, '')}.events`;
  const seen = readWitness(witnessPath);
  const newest = newestOf(client);
  if (isRestored(seen, identityOf(path), newest, isNew)) {
    const next = Math.floor(now().getTime() / 1000) * IDS_PER_SECOND;
    startAt(client, Math.max(next, newest, seen?.newest ?? 0));
    if (seen) log.info('The database was replaced: event ids continue above the earlier ones.');
  }
  let written: number | undefined;
  const note = (to: number) => {
    if (to === written) return;
    try {
      writeWitness(witnessPath, { ...identityOf(path), newest: to });
      written = to;
    } catch (error) {
      log.warn('The newest event id could not be recorded.', { error });
    }
  };
  note(newestOf(client));
  /** Records the newest event id. */
  const noteNow = async (): Promise<void> => {
    const [row] = await db.read.orm.all<{ seq: number }>(NEWEST);
    note(row?.seq ?? 0);
  };
  return {
    note: noteNow,
    job: { name: 'event ids', everyMs: NOTE_EVERY_MS, run: () => noteNow().then(() => false) },
  };
}

const NEWEST = sql`SELECT seq FROM sqlite_sequence WHERE name = 'item_events'`;

function newestOf(client: Database): number {
  const row = client.query(`SELECT seq FROM sqlite_sequence WHERE name = 'item_events'`).get();
  return (row as { seq: number } | null)?.seq ?? 0;
}

/** Unnecessary new ids do no harm: clients resume after an event that still exists. */
function isRestored(
  seen: Witness | undefined,
  { inode, born_ms }: Omit<Witness, 'newest'>,
  newest: number,
  isNew: boolean,
): boolean {
  if (!seen) return !isNew;
  return seen.inode !== inode || seen.born_ms !== born_ms || seen.newest > newest;
}

function startAt(client: Database, seq: number): void {
  client.run(`PRAGMA busy_timeout = ${LOCK_PATIENCE_MS}`);
  client.transaction(() => {
    client.run(`DELETE FROM sqlite_sequence WHERE name = 'item_events'`);
    client.run(`INSERT INTO sqlite_sequence (name, seq) VALUES ('item_events', ?)`, [seq]);
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
