import { Database } from 'bun:sqlite';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getTableName } from 'drizzle-orm';
import {
  integer,
  type SQLiteColumn,
  type SQLiteColumnBuilderBase,
  type SQLiteTable,
  type SQLiteTableExtraConfigValue,
  sqliteTable,
} from 'drizzle-orm/sqlite-core';
import { prepareDb, previewUpgrade, upgradeDb } from '../../../../src/core/db/db.ts';
import type { ResourceSchema } from '../../../../src/core/db/schema/plan.ts';
import { SchemaRefusal, upgrade } from '../../../../src/core/db/schema/upgrade.ts';
import { nextTag, type UserMigration } from '../../../../src/core/db/schema/user-migrations.ts';
import { tempDir } from '../../../support.ts';

let template: string | undefined;

/** A database file of this build and a folder of resources, which `start` brings together. */
export function createFolder() {
  template ??= createTemplate();
  const path = join(tempDir(), 'hutch.db');
  copyFileSync(template, path);
  const migrations: UserMigration[] = [];
  const schemaOf = (declared: Declared[]) => ({ resources: declared.map(resourceOf), migrations });
  return {
    path,
    migrations,
    start: (...declared: Declared[]) => upgradeDb(path, schemaOf(declared)),
    preview: (...declared: Declared[]) => previewUpgrade(path, schemaOf(declared)),
    /** Starts, and returns the refusal of the start. */
    refusal: (...declared: Declared[]): SchemaRefusal => {
      try {
        upgradeDb(path, schemaOf(declared));
      } catch (error) {
        if (error instanceof SchemaRefusal) return error;
        throw error;
      }
      throw new Error('The start was not refused.');
    },
    /** Adds the next migration. */
    write: (sql: string) => migrations.push({ tag: nextTag(migrations, 'change'), sql }),
    run: (sql: string) => {
      using client = open(path);
      client.run(sql);
    },
    rows: (sql: string) => {
      using client = open(path);
      return client.query(sql).values();
    },
  };
}

/** The same in memory, for tests with many starts. Tables keep their STRICT form. */
export function createMemoryFolder() {
  template ??= createTemplate();
  const bytes = readFileSync(template);
  // The versions of the file format for reading and writing: 2 is WAL, which needs a file.
  bytes.fill(1, 18, 20);
  const client = Database.deserialize(bytes, { strict: true });
  client.run('pragma foreign_keys = on');
  const migrations: UserMigration[] = [];
  return {
    migrations,
    start: (...declared: Declared[]) =>
      upgrade(client, { resources: declared.map(resourceOf), migrations }),
    write: (sql: string) => migrations.push({ tag: nextTag(migrations, 'change'), sql }),
    run: (sql: string): void => {
      client.run(sql);
    },
    rows: (sql: string) => client.query(sql).values(),
  };
}

type Declared = SQLiteTable | ResourceSchema;

type Builders = Record<string, SQLiteColumnBuilderBase>;
type Columns<C extends Builders> = Record<'id' | keyof C, SQLiteColumn>;

/** A table of notes with an id and these columns. */
export function notesWith<C extends Builders>(
  columns: C,
  extras: (table: Columns<C>) => SQLiteTableExtraConfigValue[] = () => [],
): SQLiteTable & { id: SQLiteColumn } {
  const all: Builders = { id: integer().primaryKey({ autoIncrement: true }), ...columns };
  const table = sqliteTable('notes', all, (it) => extras(it as Columns<C>));
  return table as unknown as SQLiteTable & { id: SQLiteColumn };
}

function resourceOf(declared: Declared): ResourceSchema {
  if ('resource' in declared && 'tables' in declared) return declared as ResourceSchema;
  return { resource: getTableName(declared as SQLiteTable), tables: [declared as SQLiteTable] };
}

function createTemplate(): string {
  const path = join(tempDir(), 'hutch.db');
  prepareDb(path);
  using client = new Database(path);
  client.run('pragma wal_checkpoint(truncate)');
  return path;
}

function open(path: string): Database {
  const client = new Database(path);
  client.run('pragma foreign_keys = on');
  return client;
}
