import { constants, DatabaseSync } from 'node:sqlite';
import { StartupError } from '../../exceptions.ts';
import type { Table } from '../portable-schema.ts';
import { type Queryable, rowsOf } from './shape.ts';
import { statementsOf } from './statements.ts';
import { quoted } from './tokens.ts';
import type { UserMigration } from './user-migrations.ts';

/** Tables whose rows decide what is missing. */
const BOOKS = ['hutch_migrations', 'hutch_schema', 'hutch_user_migrations'];
const CONSTRAINT = 19;

/**
 * Copies all definitions, and the rows of the tables that say what was applied. `definitions`
 * replace those of tables.
 */
export function copySchema(
  from: Queryable,
  run: (sql: string, ...values: (string | number | null)[]) => unknown,
  definitions: readonly Table[] = [],
): void {
  const objects = rowsOf<Table>(
    from,
    `SELECT name, sql FROM sqlite_master
     WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
     ORDER BY type <> 'table', rowid`,
  );
  for (const { name, sql } of objects) {
    run(definitions.find((it) => it.name === name)?.sql ?? sql);
  }
  for (const table of BOOKS.filter((name) => hasTable(from, name))) {
    for (const row of rowsOf<Record<string, string>>(from, `SELECT * FROM ${table}`)) {
      const values = Object.values(row);
      run(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`, ...values);
    }
  }
}

/**
 * Runs migrations on an empty copy of the database, and throws StartupError with file and line for a
 * statement that SQLite refuses, that opens or ends a transaction, or that changes a table of
 * Hutch: `isCore` names them. Triggers that existed before may write there. Returns the names of the
 * tables that the migrations change.
 */
export function rehearse(
  client: Queryable,
  migrations: readonly UserMigration[],
  isCore: (table: string) => boolean,
): ReadonlySet<string> {
  const copy = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  try {
    copySchema(client, (sql, ...values) => copy.prepare(sql).run(...values));
    const guard = createGuard(isCore, new Set(triggersOf(copy).map(({ name }) => name)));
    copy.setAuthorizer(guard.decide);
    for (const { tag, sql } of migrations) {
      for (const statement of statementsOf(sql)) {
        attempt(guard, `migrations/${tag}.sql:${statement.line}`, () => copy.exec(statement.sql));
      }
      for (const { name, table } of triggersOf(copy).filter((it) => !isCore(it.table))) {
        for (const use of usesOf(copy, table)) {
          attempt(guard, `migrations/${tag}.sql: the trigger ${name}`, () =>
            copy.prepare(use).all(),
          );
        }
      }
    }
    return guard.changed;
  } finally {
    copy.close();
  }
}

interface Guard {
  decide(
    action: number,
    first: string | null,
    second: string | null,
    database: string | null,
    trigger: string | null,
  ): number;
  /** The names of the tables that statements change, in lower case. */
  changed: ReadonlySet<string>;
  /** The reason of the last refusal. */
  reason(): string | undefined;
}

/** The index of the argument with the table, for each action that changes one. */
const CHANGES = new Map<number, 0 | 1>([
  [constants.SQLITE_INSERT, 0],
  [constants.SQLITE_UPDATE, 0],
  [constants.SQLITE_DELETE, 0],
  [constants.SQLITE_CREATE_TABLE, 0],
  [constants.SQLITE_DROP_TABLE, 0],
  [constants.SQLITE_DROP_VTABLE, 0],
  [constants.SQLITE_CREATE_VTABLE, 0],
  [constants.SQLITE_ALTER_TABLE, 1],
  [constants.SQLITE_CREATE_INDEX, 1],
  [constants.SQLITE_DROP_INDEX, 1],
  [constants.SQLITE_CREATE_TRIGGER, 1],
  [constants.SQLITE_DROP_TRIGGER, 1],
]);

const FORBIDDEN = new Map([
  [constants.SQLITE_TRANSACTION, 'must not open or end a transaction: it runs in one'],
  [constants.SQLITE_SAVEPOINT, 'must not use savepoints'],
  [constants.SQLITE_ATTACH, 'must not attach a database'],
  [constants.SQLITE_DETACH, 'must not detach a database'],
]);

/** PRAGMAs that only read, or that a rebuild needs. */
const PRAGMAS = /^(legacy_alter_table|defer_foreign_keys|(table|index|foreign_key)_.*)$/i;

/** `known` are the triggers that may write to tables of Hutch. */
function createGuard(isCore: (table: string) => boolean, known: ReadonlySet<string>): Guard {
  const changed = new Set<string>();
  let reason: string | undefined;
  const refuse = (text: string) => {
    reason = text;
    return constants.SQLITE_DENY;
  };
  return {
    changed,
    reason: () => reason,
    decide: (action, first, second, _database, trigger) => {
      const forbidden = FORBIDDEN.get(action);
      if (forbidden !== undefined) return refuse(forbidden);
      if (action === constants.SQLITE_PRAGMA && !PRAGMAS.test(first ?? '')) {
        return refuse(`must not use PRAGMA ${first}`);
      }
      const at = CHANGES.get(action);
      const table = at === undefined ? null : [first, second][at];
      if (!table) return constants.SQLITE_OK;
      changed.add(table.toLowerCase());
      if (!isCore(table.toLowerCase())) return constants.SQLITE_OK;
      if (trigger !== null && known.has(trigger)) return constants.SQLITE_OK;
      return refuse(`must not change ${table}, a table of Hutch itself`);
    },
  };
}

function attempt(guard: Guard, place: string, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    // The copy has no rows, so a subquery finds none.
    if (((errcode ?? 0) & 0xff) === CONSTRAINT) return;
    throw new StartupError(`${place} ${guard.reason() ?? `fails: ${message}`}.`);
  }
}

function triggersOf(client: Queryable): { name: string; table: string }[] {
  return rowsOf(
    client,
    `SELECT name, tbl_name AS "table" FROM sqlite_master WHERE type = 'trigger'`,
  );
}

/** Statements that compile the bodies of a table's triggers, and run nothing. */
function usesOf(client: Queryable, name: string): string[] {
  const table = quoted(name);
  const columns = rowsOf<{ name: string }>(client, 'SELECT name FROM pragma_table_info(?)', name);
  const sets = columns.map((it) => `${quoted(it.name)} = ${quoted(it.name)}`).join(', ');
  return [
    `EXPLAIN INSERT INTO ${table} DEFAULT VALUES`,
    `EXPLAIN UPDATE ${table} SET ${sets}`,
    `EXPLAIN DELETE FROM ${table}`,
  ];
}

function hasTable(client: Queryable, name: string): boolean {
  const query = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`;
  return rowsOf(client, query, name).length > 0;
}
