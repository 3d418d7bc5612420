import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'drizzle-orm';
import { type Db, type DbOptions, openDb, type Session } from '../../../src/core/db/db.ts';
import { createLog } from '../../../src/core/log.ts';
import { tempDir } from '../../support.ts';

/** Opens a database with a table of notes, at `path` if defined: `await using t = testDb()`. */
export function testDb(options: Partial<DbOptions> = {}, path = join(tempDir(), 'hutch.db')) {
  const dir = dirname(path);
  const logLines: string[] = [];
  const log = createLog({
    level: 'warn',
    format: 'json',
    write: (line) => void logLines.push(line),
    now: () => new Date(),
  });
  const db = openDb(path, { log, ...options });
  // The readiness check reads this table.
  db.client.run('create table if not exists hutch_migrations (tag text) strict');
  db.client.run(
    'create table if not exists notes (id integer primary key, text text not null unique) strict',
  );
  return {
    db,
    path,
    logLines,
    [Symbol.asyncDispose]: async () => {
      await db.close();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Adds a note. */
export const add = async (session: Session, text: string) => {
  await session.orm.run(sql`insert into notes (text) values (${text})`);
};

/** The notes in the order of their creation. */
export const texts = async ({ read }: Db) =>
  (await read.orm.all<{ text: string }>(sql`select text from notes order by id`)).map(
    (row) => row.text,
  );
