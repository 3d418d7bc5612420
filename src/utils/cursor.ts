/** Of what a position in a list consists, in order; a number is a whole one, real is any. */
type Shape = readonly ('string' | 'number' | 'real')[];
export type Position = (string | number)[];

/** How a page is told apart from the others of its list. */
export interface Page {
  next_cursor: string | null;
  has_more: boolean;
  limit: number;
}

/** An opaque cursor after `position`, bound to `scope`: the list with its sort and filter. */
export function encodeCursor(scope: string, position: Position): string {
  return Buffer.from(JSON.stringify([scopeHash(scope), ...position])).toString('base64url');
}

/** The position in a cursor; undefined when it is none, or one of another scope or shape. */
export function decodeCursor(scope: string, cursor: string, shape: Shape): Position | undefined {
  const [hash, ...position] = parseList(cursor);
  const fits =
    hash === scopeHash(scope) &&
    position.length === shape.length &&
    position.every((part, index) => isOf(shape[index], part));
  return fits ? (position as Position) : undefined;
}

/** A page of at most `limit` rows, from one row more than that if there is more. */
export function pageOf<T>(
  rows: T[],
  limit: number,
  cursorAfter: (row: T) => string,
): { data: T[]; page: Page } {
  const has_more = rows.length > limit;
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const next_cursor = has_more && last !== undefined ? cursorAfter(last) : null;
  return { data, page: { next_cursor, has_more, limit } };
}

function scopeHash(scope: string): string {
  return Bun.SHA256.hash(scope, 'hex').slice(0, 16);
}

function parseList(cursor: string): unknown[] {
  if (!/^[\w-]{1,2048}$/.test(cursor)) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isOf(kind: Shape[number] | undefined, part: unknown): boolean {
  if (kind === 'string') return typeof part === 'string' && part.isWellFormed();
  return kind === 'real' ? Number.isFinite(part) : Number.isSafeInteger(part);
}
