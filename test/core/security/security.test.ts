import { describe, expect, spyOn, test } from 'bun:test';
import { createPasswordHasher, hashToken, newToken } from '../../../src/core/security/security.ts';
import { atOnce } from '../../support.ts';

describe('the password hasher', () => {
  // proves: cryptography.passwords, 11.4.2
  test('creates argon2id hashes with 19 MiB and 2 passes', async () => {
    const hash = await createPasswordHasher({ concurrency: 1 }).hash('password123');
    expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
  });

  // proves: input.password, 6.2.8, 6.2.9
  test('accepts only the exact password', async () => {
    const hasher = createPasswordHasher({ concurrency: 2, memoryKib: 8 });
    const long = 'é'.repeat(73);
    const hash = await hasher.hash(`${long}a`);
    expect(await hasher.verify(`${long}a`, hash)).toBe(true);
    expect(await hasher.verify(`${long}b`, hash)).toBe(false);
    expect(await hasher.verify(`${long.normalize('NFD')}a`, hash)).toBe(false);
  });

  test('compares 72 bytes of a password with a bcrypt hash, as other implementations do', async () => {
    const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8 });
    const first = 'x'.repeat(72);
    const hash = Bun.password.hashSync(first, { algorithm: 'bcrypt', cost: 4 });
    expect(await hasher.verify(`${first}whatever`, hash)).toBe(true);
    expect(await hasher.verify(`${first.slice(1)}y`, hash)).toBe(false);
  });

  test('rejects an unknown account and an unreadable hash', async () => {
    const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8 });
    expect(await hasher.verify('password123', undefined)).toBe(false);
    expect(await hasher.verify('password123', 'nonsense')).toBe(false);
  });

  test.each(['$2b$05$', '$argon2id$v=19$m=64,t=3,p=1$', '$argon2i$v=19$m=8,t=1,p=16'])(
    // proves: cryptography.imported-hashes
    'a mismatch also computes a hash of the kind %s, with or without an account',
    async (kind) => {
      const made: string[] = [];
      const verify = Bun.password.verify;
      const spy = spyOn(Bun.password, 'verify').mockImplementation(async (password, hash) => {
        made.push(String(hash));
        // Throws if the dummy is not a valid hash.
        return verify.call(Bun.password, password, hash);
      });
      const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8 });
      const own = await hasher.hash('password123');
      await hasher.verify('wrong', own, [kind]);
      await hasher.verify('wrong', undefined, [kind]);
      const results = await Promise.allSettled(spy.mock.results.map(({ value }) => value));
      spy.mockRestore();
      expect(results.map((it) => it.status === 'fulfilled' && it.value)).toEqual(
        Array(4).fill(false),
      );
      const kinds = made.map((hash) => hash.startsWith(kind));
      expect(kinds.toSorted()).toEqual([false, false, true, true]);
    },
  );

  test('a match computes one hash', async () => {
    const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8 });
    const own = await hasher.hash('password123');
    const spy = spyOn(Bun.password, 'verify');
    expect(await hasher.verify('password123', own, ['$2b$05$'])).toBe(true);
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
  });

  // proves: limits.passwords-hashed-at-once, costly-work.hashing-a-password-19-mib-a-core, 15.2.2
  test('throws overloaded once the queue is full, and completes the queued hashes', async () => {
    const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8 });
    const results = await atOnce(80, () => hasher.hash('password123'));
    const failed = results.filter(({ status }) => status === 'rejected');
    expect(failed).toHaveLength(15);
    expect(failed[0]).toMatchObject({ reason: { code: 'overloaded', retryAfterSeconds: 2 } });
    expect(await hasher.hash('password123')).toBeString();
  });
});

// proves: sessions.session-tokens-are-opaque-and-have-256-bits
// proves: cryptography.session-access-mailed-and-flow-tokens, 7.2.3, 11.2.3, 11.4.3, 11.5.1
test('a token has 256 bits and is stored as its SHA-256', () => {
  const token = newToken();
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(newToken()).not.toBe(token);
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
