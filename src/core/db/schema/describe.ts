import type { Refusal } from './plan.ts';
import { nextTag, type UserMigration } from './user-migrations.ts';

/** Explains refusals to a person, with the migration to write. */
export function describeRefusals(
  refusals: readonly Refusal[],
  migrations: readonly UserMigration[],
): string {
  const tables = [...new Set(refusals.map(({ table }) => table))];
  const reasons = refusals.map(
    ({ table, column, reason }) => `  ${table}${column ? `.${column}` : ''} ${reason}.`,
  );
  const sql = [...new Set(refusals.map((it) => it.sql))].filter((it) => it !== '');
  const head = `The database does not match the declared resources, and nothing was changed:\n\n${reasons.join('\n')}`;
  if (sql.length === 0) return head;
  const file = `migrations/${nextTag(migrations, tables[0] ?? 'change')}.sql`;
  return `${head}\n\nPut these statements into ${file}, change them as needed, and start again:\n\n${sql.join('\n\n')}\n`;
}
