import type { UserMigration } from '../core/db/schema/user-migrations.ts';
import type { Resource } from '../resources/declare/definition.ts';

/** Resources by their names. */
export type Resources = Record<string, Resource>;

/** The resources and migrations that a directory, or the executable itself, adds to Hutch. */
export interface Project {
  resources: Resources;
  migrations: readonly UserMigration[];
}

/** Hutch alone. */
export const NO_PROJECT: Project = { resources: {}, migrations: [] };
