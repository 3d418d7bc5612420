import type { Resource } from '../resources/declare/definition.ts';

/** Resources by their names. */
export type Resources = Record<string, Resource>;

/** A migration that the user wrote; `tag` is the name of its file without `.sql`. */
export interface UserMigration {
  tag: string;
  sql: string;
}

/** The resources and migrations that a directory, or the executable itself, adds to Hutch. */
export interface Project {
  resources: Resources;
  migrations: readonly UserMigration[];
}

/** Hutch alone. */
export const NO_PROJECT: Project = { resources: {}, migrations: [] };
