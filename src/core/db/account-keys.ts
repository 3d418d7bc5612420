import { type Database, SQLiteError } from 'bun:sqlite';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { tidy } from '../../utils/text/text.ts';

interface Row {
  id: number;
  email_key: string;
  username: string;
  username_key: string;
}

/**
 * Updates the keys of existing accounts to the current `emailKey` and `nameKey`. If another account
 * already has a key, the old one stays: its owner can sign in by the other name.
 */
export function renewAccountKeys(client: Database): void {
  const rows = client.query<Row, []>('SELECT id, email_key, username, username_key FROM users');
  const outdated = Array.from(rows.iterate()).filter(isOutdated);
  const set = client.query(
    'UPDATE users SET email_key = ?, username = ?, username_key = ? WHERE id = ?',
  );
  for (const row of outdated) {
    const email_key = emailKey(row.email_key);
    const username = { username: tidy(row.username), username_key: nameKey(row.username_key) };
    const attempts = [
      { ...row, email_key, ...username },
      { ...row, email_key },
      { ...row, ...username },
    ];
    attempts.some((it) => isSet(() => set.run(it.email_key, it.username, it.username_key, it.id)));
  }
}

/** Returns false if an index or a trigger rejects the keys; the transaction continues. */
function isSet(update: () => unknown): boolean {
  try {
    update();
    return true;
  } catch (error) {
    if (error instanceof SQLiteError) return false;
    throw error;
  }
}

function isOutdated({ email_key, username_key }: Row): boolean {
  return email_key !== emailKey(email_key) || username_key !== nameKey(username_key);
}
