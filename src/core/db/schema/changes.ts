import { Database } from 'bun:sqlite';
import type { CheckShape, ColumnShape, ReferenceShape, TableShape } from './shape.ts';
import { rowsOf } from './shape.ts';
import { quoted } from './tokens.ts';

/** Why a table cannot be changed without a person's decision. */
export interface Problem {
  column?: string;
  reason: string;
}

/** The differences of a table from its declaration, apart from indexes. */
export interface Changes {
  /** The new columns, which can be added if there are no problems. */
  added: ColumnShape[];
  gone: ColumnShape[];
  problems: Problem[];
}

/** Compares the table that was `found` with the `wanted` one. */
export function changesOf(found: TableShape, wanted: TableShape): Changes {
  const added = missingFrom(found.columns, wanted.columns);
  const gone = missingFrom(wanted.columns, found.columns);
  const problems = [
    ...tableProblems(found, wanted),
    ...gone.map(({ name }) => ({ column: name, reason: 'is not declared any more' })),
    ...found.columns.flatMap((column) => {
      const declared = wanted.columns.find(({ name }) => name === column.name);
      return declared ? columnProblems(column, declared) : [];
    }),
    ...added.flatMap((column) => additionProblems(column, wanted)),
    ...checkProblems(found, wanted, { added, gone }),
    ...referenceProblems(found, wanted, { added, gone }),
  ];
  return { added, gone, problems };
}

/** Returns true if the expression of `check` can hold for a row with these values, as SQL. */
export function holds(check: CheckShape, values: Readonly<Record<string, string>>): boolean {
  using client = new Database(':memory:');
  const columns = Object.entries(values).map(([name, sql]) => `${sql} AS ${quoted(name)}`);
  try {
    const query = `SELECT (${check.sql}) AS holds FROM (SELECT ${columns.join(', ')})`;
    return rowsOf<{ holds: unknown }>(client, query)[0]?.holds !== 0;
  } catch {
    // An expression such as json_type('') fails for the value.
    return false;
  }
}

export function isConstant(sql: string | null): boolean {
  return sql === null || /^([+-] )?[\d.][\w.]*$|^[xX]?'(?:[^']|'')*'$|^null$/.test(sql);
}

function missingFrom(columns: readonly ColumnShape[], all: readonly ColumnShape[]): ColumnShape[] {
  const names = new Set(columns.map(({ name }) => name));
  return all.filter(({ name }) => !names.has(name));
}

function tableProblems(found: TableShape, wanted: TableShape): Problem[] {
  const problems: Problem[] = [];
  if (wanted.isTyped && !found.isTyped) problems.push({ reason: 'is no STRICT table' });
  if (found.hasRowId !== wanted.hasRowId) {
    problems.push({ reason: `must be ${wanted.hasRowId ? 'with' : 'WITHOUT'} ROWID` });
  }
  if (found.isAutoIncrement !== wanted.isAutoIncrement) {
    problems.push({
      reason: `must be ${wanted.isAutoIncrement ? 'with' : 'without'} AUTOINCREMENT`,
    });
  }
  return problems;
}

function columnProblems(found: ColumnShape, wanted: ColumnShape): Problem[] {
  const reasons: string[] = [];
  const change = (what: string, from: unknown, to: unknown) => {
    if (from !== to) reasons.push(`${what} ${from} in the database and ${to} in the declaration`);
  };
  change('is', found.type, wanted.type);
  change('is', nullability(found), nullability(wanted));
  change('has the default', found.default ?? 'null', wanted.default ?? 'null');
  change('has the place in the primary key', found.key, wanted.key);
  change('is', generation(found), generation(wanted));
  return reasons.map((reason) => ({ column: found.name, reason }));
}

const nullability = ({ isRequired }: ColumnShape) => (isRequired ? 'NOT NULL' : 'nullable');
const generation = ({ isGenerated }: ColumnShape) => (isGenerated ? 'generated' : 'stored');

/** Why ALTER TABLE cannot add a column to existing rows. */
function additionProblems(column: ColumnShape, wanted: TableShape): Problem[] {
  const { name, isRequired, key, isGenerated } = column;
  const problem = (reason: string) => [{ column: name, reason }];
  const value = column.default ?? 'null';
  if (key > 0) return problem('is new and part of the primary key');
  if (isGenerated) return problem('is new and generated');
  if (!isConstant(value)) return problem('is new, and its default is no constant');
  if (isRequired && value === 'null') return problem('is new, NOT NULL and has no default');
  if (value !== 'null' && wanted.references.some(({ columns }) => columns.includes(name))) {
    return problem('is new, references other rows and has a default');
  }
  const isBroken = ownChecks(wanted, name).some((check) => !holds(check, { [name]: value }));
  return isBroken ? problem('is new, and its default does not satisfy its own check') : [];
}

/** The checks of a column alone. */
export function ownChecks({ checks }: TableShape, column: string): CheckShape[] {
  return checks.filter(({ columns }) => columns.length === 1 && columns[0] === column);
}

type Moved = Pick<Changes, 'added' | 'gone'>;

function checkProblems(found: TableShape, wanted: TableShape, { added, gone }: Moved): Problem[] {
  const before = new Set(found.checks.map(({ text }) => text));
  const after = new Set(wanted.checks.map(({ text }) => text));
  const isOfAdded = ({ columns }: CheckShape) => columns.length === 1 && hasOneOf(added, columns);
  return [
    ...found.checks
      .filter((it) => !after.has(it.text) && !hasOneOf(gone, it.columns))
      .map((it) => checkProblem(it, 'is not declared any more')),
    ...wanted.checks
      .filter((it) => !before.has(it.text) && !isOfAdded(it))
      .map((it) => checkProblem(it, 'is new')),
  ];
}

function checkProblem({ columns, sql }: CheckShape, what: string): Problem {
  const reason = `has the check (${sql}), which ${what}`;
  return columns.length === 1 ? { column: columns[0] as string, reason } : { reason };
}

function referenceProblems(
  found: TableShape,
  wanted: TableShape,
  { added, gone }: Moved,
): Problem[] {
  const before = new Set(found.references.map((it) => JSON.stringify(it)));
  const after = new Set(wanted.references.map((it) => JSON.stringify(it)));
  const isOfAdded = ({ columns }: ReferenceShape) =>
    columns.length === 1 && hasOneOf(added, columns);
  return [
    ...found.references
      .filter((it) => !after.has(JSON.stringify(it)) && !hasOneOf(gone, it.columns))
      .map((it) => referenceProblem(it, 'is not declared any more')),
    ...wanted.references
      .filter((it) => !before.has(JSON.stringify(it)) && !isOfAdded(it))
      .map((it) => referenceProblem(it, 'is new')),
  ];
}

function referenceProblem({ columns, table, onDelete }: ReferenceShape, what: string): Problem {
  const reason = `has the reference to ${table} (on delete ${onDelete.toLowerCase()}), which ${what}`;
  return columns.length === 1 ? { column: columns[0] as string, reason } : { reason };
}

function hasOneOf(columns: readonly ColumnShape[], names: readonly string[]): boolean {
  return columns.some(({ name }) => names.includes(name));
}
