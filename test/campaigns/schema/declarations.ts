import { sql } from 'drizzle-orm';
import { check, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { FolderSchema } from '../../../src/core/db/schema/upgrade.ts';

const key = { id: integer().primaryKey({ autoIncrement: true }) };

/** The resources before the upgrade. */
export const OLD: FolderSchema = {
  resources: [
    {
      resource: 'notes',
      tables: [sqliteTable('notes', { ...key, title: text().notNull(), color: text() })],
    },
  ],
  migrations: [],
};

const notes = sqliteTable(
  'notes',
  {
    ...key,
    name: text().notNull(),
    pinned: integer({ mode: 'boolean' }).notNull().default(false),
    rank: integer(),
  },
  (it) => [
    index('notes_name').on(it.name, it.id),
    index('notes_pinned').on(it.pinned, it.name),
    index('notes_rank').on(it.rank, it.id),
    check('notes_name', sql`length(${it.name}) <= 200`),
  ],
);

const revisions = sqliteTable('note_revisions', {
  ...key,
  note_id: integer()
    .notNull()
    .references(() => notes.id, { onDelete: 'cascade' }),
});

const REBUILD = `CREATE TABLE notes_new (
  id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  name text NOT NULL CHECK(length(name) <= 200)
) STRICT;
INSERT INTO notes_new SELECT id, title FROM notes;
DROP TABLE notes;
ALTER TABLE notes_new RENAME TO notes;
UPDATE notes SET name = name || '!'`;

/**
 * The resources after it: a migration that rebuilds the table and changes each row, two new columns,
 * three indexes, a further table and a search index.
 */
export const NEW: FolderSchema = {
  resources: [
    {
      resource: 'notes',
      tables: [notes, revisions],
      derived: [
        {
          of: 'notes',
          create: ['CREATE VIRTUAL TABLE notes_fts USING fts5(name)'],
          fill: ['INSERT INTO notes_fts (rowid, name) SELECT id, name FROM notes'],
        },
      ],
    },
  ],
  migrations: [{ tag: '0001_names', sql: REBUILD }],
};
