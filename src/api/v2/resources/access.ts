import type { ErrorCode } from '../../../core/exceptions.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { type Access, declare } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

type Codes = ErrorCode[];

export type AccessOf = ReturnType<typeof accessOf>;

/**
 * Returns functions that declare the access, scope and problems of a resource's routes. A route of
 * rows that everyone may read is open; the service decides which rows a caller sees.
 */
export function accessOf({ name, read, write, before }: Definition) {
  const reading = levelOfReads(read);
  const owning: Access = reading === 'optional' ? 'user' : reading;
  // Nobody changes rows that they may not read.
  const writing: Access = read === 'admin' || write === 'admin' ? 'admin' : 'user';
  const detailOf = (level: Access, scope: 'read' | 'write') => (id: string, summary: string) => ({
    ...declare(level, `${name}:${scope}`, id, summary),
    ...(level !== 'optional' && { needsAccount: true }),
  });
  const refusals = (level: Access): Codes =>
    level === 'admin' ? [...SIGNED_IN, 'forbidden'] : [...SIGNED_IN];
  /** Hooks and rules of a declaration may refuse a change. */
  const changing: Codes = [
    ...refusals(writing),
    ...(before ? (['forbidden', 'conflict'] as const) : []),
    ...(typeof write === 'function' ? (['forbidden'] as const) : []),
  ];
  return {
    reading,
    /** The `detail` of a route that reads rows. */
    reads: detailOf(reading, 'read'),
    /** The same for a route that needs an account, such as one for the caller's own rows. */
    readsOwn: detailOf(owning, 'read'),
    writes: detailOf(writing, 'write'),
    readErrors: (...codes: Codes) => v2Errors(...refusals(reading), ...codes),
    readOwnErrors: (...codes: Codes) => v2Errors(...refusals(owning), ...codes),
    /** For a route that needs only the access of readers but writes something. */
    countErrors: (...codes: Codes) => v2WriteErrors(...refusals(reading), ...codes),
    writeErrors: (...codes: Codes) => v2WriteErrors(...changing, ...codes),
    bodyErrors: (...codes: Codes) => v2BodyErrors(...changing, ...codes),
  };
}

function levelOfReads(read: Definition['read']): Access {
  if (read === 'public' || typeof read === 'function') return 'optional';
  return read === 'admin' ? 'admin' : 'user';
}
