import type { Database } from 'bun:sqlite';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { LOCK_PATIENCE_MS } from './db/busy.ts';
import type { Db } from './db/db.ts';
import type { Log } from './log.ts';

/** More than events are ever made in a second: a later second begins above all ids of this one. */
const IDS_PER_SECOND = 2 ** 20;

/** A restore goes unnoticed if its file was copied over the old one within this time before a crash. */
const NOTE_EVERY_MS = 5_000;

/** What is known, outside of the database, of the file and of how far its events have come. */
interface Witness {
  inode: number;
  born_ms: number;
  newest: number;
}

export interface EventLineOptions {
  /** Of the database. The witness is the file beside it, `hutch.events`. */
  path: string;
  db: Db & { readonly client: Database };
  log: Log;
  /** Whether this process has just made the database. */
  isNew: boolean;
  now(): Date;
}

/**
 * Sees to it that the id of an event is never given to another one, in a restored database either:
 * whoever listened to the lost line would be told too little. A file that was replaced, or has
 * fewer events than were seen, goes on with ids above all that the lost line can have given.
 */
export function openEventLine({ path, db, log, isNew, now }: EventLineOptions) {
  const { client } = db;
  const witnessPath = `${path.replace(/\.db$/, '')}.events`;
  const seen = readWitness(witnessPath);
  const newest = newestOf(client);
  if (isRestored(seen, identityOf(path), newest, isNew)) {
    const next = Math.floor(now().getTime() / 1000) * IDS_PER_SECOND;
    startAt(client, Math.max(next, newest, seen?.newest ?? 0));
    if (seen) log.info('The database was replaced: events go on with new ids.');
  }
  let written: number | undefined;
  const note = (to: number) => {
    if (to === written) return;
    try {
      writeWitness(witnessPath, { ...identityOf(path), newest: to });
      written = to;
    } catch (error) {
      log.warn('How far the events have come could not be noted.', { error });
    }
  };
  note(newestOf(client));
  /** Notes how far the events have come. */
  const noteNow = async (): Promise<void> => {
    const [row] = await db.read.orm.all<{ seq: number }>(NEWEST);
    note(row?.seq ?? 0);
  };
  return {
    note: noteNow,
    job: { name: 'event line', everyMs: NOTE_EVERY_MS, run: () => noteNow().then(() => false) },
  };
}

const NEWEST = sql`SELECT seq FROM sqlite_sequence WHERE name = 'item_events'`;

function newestOf(client: Database): number {
  const row = client.query(`SELECT seq FROM sqlite_sequence WHERE name = 'item_events'`).get();
  return (row as { seq: number } | null)?.seq ?? 0;
}

/** Needless new ids do no harm: whoever is at an event that is still there goes on from it. */
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
    // Not there, or cut short by a power failure: nothing is known.
    return undefined;
  }
}

function writeWitness(path: string, witness: Witness): void {
  writeFileSync(`${path}.new`, JSON.stringify(witness), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
