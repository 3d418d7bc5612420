import type { Changes, Problem } from './changes.ts';
import type { IndexShape, TableShape } from './shape.ts';
import { quoted } from './tokens.ts';

export interface IndexPlan {
  steps: string[];
  problems: Problem[];
  /** The statements of a migration that solve the problems. */
  sql: string[];
}

/**
 * Compares the indexes of a table. Drops only indexes that the engine has `made`; a new unique index
 * that existing rows can violate is a problem.
 */
export function planIndexes(
  found: TableShape,
  wanted: TableShape,
  { added }: Changes,
  made: ReadonlySet<string>,
): IndexPlan {
  const plan: IndexPlan = { steps: [], problems: [], sql: [] };
  const declared = new Map(wanted.indexes.map((it) => [it.name, it]));
  for (const { name } of found.indexes) {
    if (made.has(name) && !declared.has(name)) plan.steps.push(dropIndex(name));
  }
  for (const index of wanted.indexes) {
    const old = found.indexes.find(({ name }) => name === index.name);
    if (old?.body === index.body) continue;
    const statements = [...(old ? [dropIndex(old.name)] : []), index.sql];
    const reason = refusalOf(index, old, { found, added, made });
    if (reason === undefined) plan.steps.push(...statements);
    else {
      plan.problems.push({ reason });
      plan.sql.push(...statements);
    }
  }
  return plan;
}

function refusalOf(
  index: IndexShape,
  old: IndexShape | undefined,
  { found, added, made }: { found: TableShape; made: ReadonlySet<string> } & Pick<Changes, 'added'>,
): string | undefined {
  if (old && !made.has(old.name)) return `has the index ${old.name} with another definition`;
  if (!index.isUnique || found.indexes.some(({ body }) => body === index.body)) return undefined;
  const isNull = (name: string) =>
    added.some((it) => it.name === name && !it.isRequired && it.default === null);
  if (index.columns.some(isNull)) return undefined;
  return `has the unique index ${index.name}, which is new: rows may have equal values`;
}

function dropIndex(name: string): string {
  return `DROP INDEX ${quoted(name)}`;
}
