import { sqliteError } from './busy.ts';

/** A rule of a table that a row broke. */
export interface BrokenRule {
  kind: 'check' | 'missing' | 'type' | 'unique' | 'reference';
  /** The columns that the rule names. */
  columns: string[];
}

const KINDS: Record<string, BrokenRule['kind']> = {
  SQLITE_CONSTRAINT_CHECK: 'check',
  SQLITE_CONSTRAINT_NOTNULL: 'missing',
  SQLITE_CONSTRAINT_DATATYPE: 'type',
  SQLITE_CONSTRAINT_UNIQUE: 'unique',
  SQLITE_CONSTRAINT_FOREIGNKEY: 'reference',
};

/** The name of a check, after its table and column, or the check of a type (portable-schema.ts). */
const CHECKED = /failed: (?:typeof\(")?(\w+)/g;

/** The rule of `table` that a write broke; undefined for any other error. */
export function brokenRuleOf(error: unknown, table: string): BrokenRule | undefined {
  const found = sqliteError(error);
  const kind = KINDS[found?.code ?? ''];
  if (!found || !kind) return undefined;
  const names = found.message.matchAll(kind === 'check' ? CHECKED : /\w+\.(\w+)/g);
  const prefix = new RegExp(`^${table}_`);
  return { kind, columns: [...names].map(([, name = '']) => name.replace(prefix, '')) };
}
