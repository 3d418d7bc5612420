import type { Database } from 'bun:sqlite';
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { Position, Shape } from '../../utils/page.ts';
import { AppError } from '../exceptions.ts';

/** Encrypts positions in lists, so that clients can neither read nor forge them. */
export interface Cursors {
  /** Returns an opaque cursor for `position`, bound to `scope`: the list, its query and its caller. */
  seal(scope: string, position: Position): string;
  /** Returns the position in a cursor; undefined if it is forged or has another scope or shape. */
  open(scope: string, cursor: string, shape: Shape): Position | undefined;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts with AES-256-GCM. The nonce is a keyed hash of the scope and position: equal positions
 * have equal cursors, and no nonce is ever used for two different plaintexts.
 */
export function createCursors(secret: Uint8Array): Cursors {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  const [key, nonceKey] = [derive('hutch cursor'), derive('hutch cursor nonce')];
  return {
    seal: (scope, position) => {
      const text = JSON.stringify(position);
      const hash = createHmac('sha256', nonceKey).update(`${scope.length} ${scope}${text}`);
      const iv = hash.digest().subarray(0, IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(scope));
      const sealed = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64url');
    },
    open: (scope, cursor, shape) => {
      const text = decrypt(key, scope, cursor);
      if (text === undefined) return undefined;
      const position = JSON.parse(text) as Position;
      return hasShape(position, shape) ? position : undefined;
    },
  };
}

/**
 * Returns the position in the cursor of a request, in one of `shapes`; undefined without a cursor.
 * Throws invalid_cursor.
 */
export function readCursor(
  cursors: Cursors,
  scope: string,
  cursor: string | undefined,
  ...shapes: Shape[]
): Position | undefined {
  if (cursor === undefined) return undefined;
  for (const shape of shapes) {
    const position = cursors.open(scope, cursor, shape);
    if (position) return position;
  }
  throw new AppError('invalid_cursor', 'The cursor does not belong to this list, query and caller');
}

/** Returns the cursor secret of a migrated database; copies of the database share it. */
export function cursorSecret(client: Database): Uint8Array {
  const row = client.query(`SELECT key FROM server_keys WHERE name = 'cursor'`).get();
  return (row as { key: Uint8Array }).key;
}

function decrypt(key: Buffer, scope: string, cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // Several base64 spellings decode to the same bytes: accept only the canonical one.
  if (bytes.toString('base64url') !== cursor) return undefined;
  try {
    const iv = bytes.subarray(0, IV_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(scope));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const content = bytes.subarray(IV_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(content), decipher.final()]).toString();
  } catch {
    return undefined;
  }
}

function hasShape(position: Position, shape: Shape): boolean {
  return (
    position.length === shape.length &&
    position.every((part, index) => typeof part === shape[index])
  );
}
