import { Database } from 'bun:sqlite';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** Items that one request makes. */
export interface Entry {
  title: string;
  /** The number of items that it creates: all or none of them may be stored. */
  items: number;
  /** The Idempotency-Key it was sent with is its title. */
  isKeyed: boolean;
  /** The time of its response, in ms of the wall clock; undefined without a response. */
  acknowledgedAt?: number;
}

/** One item that is changed again and again: its description is the number of the change. */
export interface Edited {
  title: string;
  sent: number;
  /** The time of the response to each change, by its number. */
  acknowledgedAt: number[];
}

/** The requests sent to a server and those it acknowledged. */
export interface Ledger {
  entries: Map<string, Entry>;
  edited: Map<string, Edited>;
}

/** Ms of the wall clock, with fractions. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

export function createLedger(): Ledger {
  return { entries: new Map(), edited: new Map() };
}

/** Requests with a response. */
export function acknowledged({ entries, edited }: Ledger): number {
  const made = [...entries.values()].filter((entry) => entry.acknowledgedAt !== undefined);
  const changes = [...edited.values()].map((each) => each.acknowledgedAt.length);
  return made.length + changes.reduce((sum, count) => sum + count, 0);
}

interface Stored {
  title: string;
  count: number;
  description: string;
}

/**
 * Compares the database in `dir` with what was acknowledged before `until` and returns each
 * difference as a sentence: nothing acknowledged is missing, nothing is there in part or twice,
 * nothing is there that was never sent, and the tables agree with each other.
 */
export function findLosses(dir: string, ledger: Ledger, until?: number): string[] {
  using db = new Database(join(dir, 'hutch.db'));
  const integrity = db.query('pragma integrity_check').values().flat().map(String);
  if (integrity.join() !== 'ok') return [`integrity_check: ${integrity.slice(0, 3).join('; ')}`];
  const rows = db
    .query('select title, count(*) as count, max(description) as description from items group by 1')
    .all() as Stored[];
  const stored = new Map(rows.map((row) => [row.title, row]));
  const keys = new Set(db.query('select key from idempotency_keys').values().flat().map(String));
  return [
    ...[...ledger.entries.values()].flatMap((entry) => lossesOf(entry, stored, keys, until)),
    ...[...ledger.edited.values()].flatMap((edited) => lostChanges(edited, stored, until)),
    ...rows
      .filter(({ title }) => !ledger.entries.has(title) && !ledger.edited.has(title))
      .map(({ title }) => `${title} is stored and was never sent`),
    ...disagreements(db),
  ];
}

function lossesOf(
  { title, items, isKeyed, acknowledgedAt }: Entry,
  stored: Map<string, Stored>,
  keys: Set<string>,
  until?: number,
): string[] {
  const count = stored.get(title)?.count ?? 0;
  if (isAcknowledged(acknowledgedAt, until) && count === 0) {
    return [`${title} was acknowledged and is lost`];
  }
  if (count !== 0 && count !== items) return [`${title} is stored ${count} times of ${items}`];
  if (isKeyed && keys.has(title) !== count > 0) return [`${title} and its key disagree`];
  return [];
}

function lostChanges(
  { title, sent, acknowledgedAt }: Edited,
  stored: Map<string, Stored>,
  until?: number,
): string[] {
  const least = acknowledgedAt.filter((at) => isAcknowledged(at, until)).length;
  const row = stored.get(title);
  if (!row) return least === 0 ? [] : [`${title} was acknowledged and is lost`];
  const found = Number(row.description);
  return found >= least && found <= sent
    ? []
    : [`${title} is at change ${found}; acknowledged ${least}, sent ${sent}`];
}

function isAcknowledged(at: number | undefined, until: number | undefined): boolean {
  return at !== undefined && (until === undefined || at < until);
}

/** Tables that the same transactions write must agree. */
function disagreements(db: Database): string[] {
  const one = (sql: string) => db.query(sql).values()[0]?.[0] ?? 0;
  const items = one('select count(*) from items');
  const pairs: [name: string, found: unknown, expected: unknown][] = [
    ['counters of views', one('select count(*) from item_views'), items],
    ['events of creation', one("select count(*) from item_events where type = 'created'"), items],
    [
      'views by the hour',
      one('select sum(views) from item_hours'),
      one('select sum(views) from item_views'),
    ],
    ['rows that point nowhere', db.query('pragma foreign_key_check').values().length, 0],
  ];
  return pairs
    .filter(([, found, expected]) => found !== expected)
    .map(([name, found, expected]) => `${name}: ${found}, not ${expected}`);
}

/** Copies a database and its log without opening them, because opening a database recovers it. */
export function copyDatabase(from: string, to: string): void {
  for (const name of ['hutch.db', 'hutch.db-wal']) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}
