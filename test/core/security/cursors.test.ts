import { describe, expect, test } from 'bun:test';
import { createCursors } from '../../../src/core/security/cursors.ts';
import { testApp } from '../../support.ts';

const SHAPE = ['string', 'number'] as const;
const cursors = createCursors(new Uint8Array(32).fill(7));
const raw = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  test('returns its position', () => {
    const cursor = cursors.seal('users by name', ['ädä 💥', 7]);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(cursors.open('users by name', cursor, SHAPE)).toEqual(['ädä 💥', 7]);
  });

  // proves: cryptography.cursors
  test('is equal for equal positions and shares no nonce with another', () => {
    const sealed = (scope: string, id: number) => cursors.seal(scope, ['ada', id]);
    expect(sealed('a', 7)).toBe(sealed('a', 7));
    const nonces = [sealed('a', 7), sealed('a', 8), sealed('b', 7)].map((it) => it.slice(0, 16));
    expect(new Set(nonces).size).toBe(3);
  });

  // proves: input.cursor
  test('does not reveal its position', () => {
    const bytes = Buffer.from(cursors.seal('a', ['needle', 7]), 'base64url');
    expect(bytes.toString('latin1')).not.toContain('needle');
  });

  test.each([
    ['scope', createCursors(new Uint8Array(32).fill(7)), 'users by id'],
    ['key', createCursors(new Uint8Array(32).fill(8)), 'users by name'],
  ])('is rejected for another %s', (_, other, scope) => {
    const cursor = cursors.seal('users by name', ['ada', 7]);
    expect(other.open(scope, cursor, SHAPE)).toBeUndefined();
  });

  test('is rejected if it has another shape', () => {
    for (const position of [[], ['x'], [1, 'x'], ['x', 1, 2], ['x', 'y']]) {
      expect(cursors.open('a', cursors.seal('a', position), SHAPE)).toBeUndefined();
    }
  });

  // proves: input.cursor
  test('is rejected if any bit is changed, or bytes are removed or added', () => {
    const bytes = Buffer.from(cursors.seal('a', ['x', 1]), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(cursors.open('a', forged.toString('base64url'), SHAPE)).toBeUndefined();
    }
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length).toString('base64url');
      expect(cursors.open('a', cut, SHAPE)).toBeUndefined();
    }
    const longer = Buffer.concat([bytes, Buffer.from([0])]).toString('base64url');
    expect(cursors.open('a', longer, SHAPE)).toBeUndefined();
  });

  test('is rejected in another spelling of the same bytes', () => {
    const cursor = cursors.seal('a', ['x', 1]);
    for (const spelling of [`${cursor}=`, ` ${cursor}`, cursor.replaceAll(/[-_]/g, '+')]) {
      if (spelling === cursor) continue;
      expect(cursors.open('a', spelling, SHAPE)).toBeUndefined();
    }
  });

  test.each(['', 'x', '!', '%%', raw(null), raw({}), raw([]), raw(['x', 1]), 'A'.repeat(5000)])(
    'is never %p',
    (text) => {
      expect(cursors.open('a', text, SHAPE)).toBeUndefined();
    },
  );
});

// proves: cryptography.cursors
test('each database has its own cursor key', async () => {
  await using one = await testApp();
  await using other = await testApp();
  const cursor = one.deps.cursors.seal('a', ['x', 1]);
  expect(one.deps.cursors.open('a', cursor, SHAPE)).toEqual(['x', 1]);
  expect(other.deps.cursors.open('a', cursor, SHAPE)).toBeUndefined();
});
