import { Database } from 'bun:sqlite';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seedUsers } from './seed.ts';
import { indexItems, insertItems } from './seed-items.ts';
import { HUTCH, run } from './stage.ts';

const CHUNK = 50_000;

/**
 * Fills a database with `size` items, and with what `more` adds, unless it is there. Returns its
 * size in bytes.
 */
export async function grow(
  dataDir: string,
  size: number,
  more: (client: Database) => void = () => {},
): Promise<number> {
  const path = join(dataDir, 'hutch.db');
  if (!existsSync(path)) {
    console.error(`${size.toLocaleString('en')} items …`);
    mkdirSync(dataDir, { recursive: true });
    await run([HUTCH, 'migrate', '--data-dir', dataDir]);
    await fill(path, size, more);
  }
  return statSync(path).size;
}

/** Without durability: after a failure the data is generated again. */
async function fill(path: string, size: number, more: (client: Database) => void): Promise<void> {
  const client = new Database(path, { strict: true, readwrite: true });
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -1000000']) {
    client.run(`PRAGMA ${pragma}`);
  }
  await seedUsers(client);
  for (let from = 1; from <= size; from += CHUNK) {
    const to = Math.min(size, from + CHUNK - 1);
    client.transaction(() => insertItems(client, from, to))();
  }
  client.transaction(() => more(client))();
  client.transaction(() => indexItems(client))();
  client.run('ANALYZE');
  client.run('PRAGMA journal_mode = WAL');
  client.close(true);
}
