import { getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as models from '../models/index.ts';
import { mistake } from './declare/checks.ts';
import type { Definition } from './declare/definition.ts';
import { tablesOf } from './declare/tables.ts';
import * as builtIn from './index.ts';

/**
 * Throws DeclarationError if two of the resources have the same name, path or table, if one has a
 * table of the core, or if one references a resource that is not among them.
 */
export function checkTogether(definitions: readonly Definition[]): void {
  const owners = new Map(coreTables().map((table) => [table, 'the core']));
  for (const definition of definitions) {
    const { name } = definition;
    for (const table of tablesOf(definition).map(getTableName)) {
      const other = owners.get(table);
      if (other) throw mistake(name, `its table ${table} belongs to ${other}`);
      owners.set(table, name);
    }
    for (const field of definition.fields) {
      const target = field.ref?.to();
      if (!target || definitions.includes(target)) continue;
      throw mistake(name, `${field.name} references ${target.name}, which is not served`);
    }
  }
}

function coreTables(): string[] {
  const ofResources = Object.values(builtIn).flatMap(({ definition }) => tablesOf(definition));
  const names = new Set(ofResources.map(getTableName));
  return Object.values<unknown>(models)
    .filter((it) => is(it, SQLiteTable))
    .map(getTableName)
    .filter((name) => !names.has(name));
}
