import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import journal from '../../../drizzle/meta/_journal.json';

/** One migration. `when` (ms since 1970) defines the order. */
export interface Migration {
  tag: string;
  when: number;
  sql: string;
}

/** Reads ./drizzle. Imported as a macro, so that the bundle contains the result. */
export function embeddedMigrations(): Migration[] {
  const folder = join(import.meta.dir, '..', '..', '..', 'drizzle');
  return journal.entries.map(({ tag, when }) => ({
    tag,
    when,
    sql: readFileSync(join(folder, `${tag}.sql`), 'utf8'),
  }));
}
