import { Database } from 'bun:sqlite';
import { StartupError } from '../../exceptions.ts';
import { sqliteCode } from '../busy.ts';
import {
  applyMissing,
  checkForeignKeys,
  inMigration,
  KNOWN_MIGRATIONS,
  migrate,
} from '../migrations.ts';
import { describeRefusals } from './describe.ts';
import { isRefused, messageOf } from './explained.ts';
import { applySchema, planSchema, type Refusal, type ResourceSchema } from './plan.ts';
import { rehearse } from './rehearsal.ts';
import { rowsOf } from './shape.ts';
import { statementsOf } from './statements.ts';
import { pendingMigrations, recordMigration, type UserMigration } from './user-migrations.ts';

/** The resources beside the binary and the migrations of their folder. */
export interface FolderSchema {
  resources: readonly ResourceSchema[];
  migrations: readonly UserMigration[];
}

/** The changes that an upgrade has applied, or would apply. */
export interface Upgrade {
  /** The tags of this build's migrations. */
  core: string[];
  /** The tags of the folder's migrations. */
  migrations: string[];
  /** The statements that added what the resources declare. */
  steps: string[];
  notices: string[];
}

/** The declared tables differ from the database in a way that needs a migration. */
export class SchemaRefusal extends StartupError {
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[], migrations: readonly UserMigration[]) {
    super(describeRefusals(refusals, migrations));
    this.refusals = refusals;
  }
}

/**
 * Applies the missing migrations of this build and of the folder, and then adds what its resources
 * declare, all in one transaction. Throws StartupError and changes nothing if a migration fails, and
 * SchemaRefusal if the declared tables need another one. `isEmptyCopy`: constraints may fail.
 */
export function upgrade(
  client: Database,
  folder: FolderSchema,
  { isEmptyCopy = false } = {},
): Upgrade {
  return inMigration(client, () => {
    const core = applyMissing(client, KNOWN_MIGRATIONS);
    const pending = pendingMigrations(client, folder.migrations);
    const hasFolder = folder.resources.length + folder.migrations.length > 0;
    const reserved = hasFolder ? coreTables() : new Set<string>();
    const isCore = (name: string) => reserved.has(name) || name.startsWith('hutch_');
    const written = pending.length > 0 ? rehearse(client, pending, isCore) : new Set<string>();
    for (const migration of pending) runMigration(client, migration, isEmptyCopy);
    const plan = planSchema(client, folder.resources, { reserved, written });
    if (plan.refusals.length > 0) throw new SchemaRefusal(plan.refusals, folder.migrations);
    applySchema(client, plan);
    if (pending.length > 0) checkForeignKeys(client);
    const { steps, notices } = plan;
    return { core, migrations: pending.map(({ tag }) => tag), steps, notices };
  });
}

function runMigration(client: Database, migration: UserMigration, isEmptyCopy: boolean): void {
  for (const { sql, line } of statementsOf(migration.sql)) {
    try {
      client.run(sql);
    } catch (error) {
      if (isEmptyCopy && sqliteCode(error).startsWith('SQLITE_CONSTRAINT')) continue;
      if (!isRefused(error)) throw error;
      const place = `migrations/${migration.tag}.sql:${line}`;
      throw new StartupError(`${place} fails: ${messageOf(error)}. Nothing was changed.`);
    }
  }
  client.run('PRAGMA legacy_alter_table = OFF');
  recordMigration(client, migration);
}

let coreNames: ReadonlySet<string> | undefined;

/** The names of all tables of this build. */
function coreTables(): ReadonlySet<string> {
  coreNames ??= readCoreTables();
  return coreNames;
}

function readCoreTables(): ReadonlySet<string> {
  using client = new Database(':memory:');
  migrate(client);
  const query = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`;
  return new Set(rowsOf<{ name: string }>(client, query).map(({ name }) => name));
}
