import { createKeyedLimiter, QueueFullError } from '../../utils/async/keyed-limiter.ts';
import { AppError } from '../exceptions.ts';

/** argon2id at OWASP's minimum: 19 MiB, 2 passes (Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
/** Hashes that may queue: about two seconds of work on two cores. */
const MAX_WAITING = 64;
const TOKEN_BYTES = 32;
/** Input length of bcrypt; passlib and Go truncate to it. */
const BCRYPT_BYTES = 72;
/** Salt and hash of a discarded random password, for hashes of any cost. */
const DUMMY_ARGON2 =
  'JIs8gcBAgvMTE3nLwmWkGPPZFaC8BHbOltwD567eDmY$SllKhBxydfKHUhKX/bk7AUFRESFLdzXWJtucNGq1nPg';
const DUMMY_BCRYPT = 'aXq1Y0c1uQdZ9oJYx0QyXOq8b8p3m8yZ3vN8m0n0sZ0a8pQ2cJb1K';

export interface PasswordHasher {
  /** Throws overloaded if too many hashes are queued. */
  hash(password: string): Promise<string>;
  /**
   * Returns true if `hash` is a hash of `password`. Throws overloaded, as `hash` does. A mismatch
   * takes as long without a hash as with a new one. If `kinds` lists the kinds of all stored hashes,
   * every mismatch computes one hash of each kind, so that its duration reveals nothing about the
   * account.
   */
  verify(password: string, hash: string | undefined, kinds?: readonly string[]): Promise<boolean>;
  /** Returns true if a stored hash differs in kind from new ones; sign-in then replaces it. */
  isWeak(hash: string): boolean;
}

export interface PasswordHasherOptions {
  /** Hashes computed at once; each occupies a core and its memory. */
  concurrency: number;
  /** Memory cost of new hashes in KiB; only tests use less than the default. */
  memoryKib?: number;
}

export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { concurrency, memoryKib = ARGON2ID.memoryCost } = options;
  const limited = createSemaphore(concurrency);
  const settings = { ...ARGON2ID, memoryCost: memoryKib };
  const newKind = `$argon2id$v=19$m=${memoryKib},t=${ARGON2ID.timeCost},p=1$`;
  return {
    hash: (password) => limited(() => Bun.password.hash(password, settings)),
    isWeak: (hash) => !hash.startsWith(`$argon2id$v=19$m=${settings.memoryCost},t=2,`),
    verify: (password, stored, kinds = stored === undefined ? [] : undefined) =>
      limited(async () => {
        if (stored !== undefined && (await verifyOrFalse(password, stored))) return true;
        const others = new Set(kinds && [newKind, ...kinds]);
        if (stored !== undefined) others.delete(kindOf(stored));
        for (const kind of others) await verifyOrFalse(password, dummyOf(kind));
        return false;
      }),
  };
}

/** The prefix of a hash that determines its duration, as PASSWORD_KIND selects it in SQL. */
function kindOf(hash: string): string {
  return hash.startsWith('$2') ? hash.slice(0, 7) : hash.slice(0, hash.indexOf(',p=') + 5);
}

function dummyOf(kind: string): string {
  if (kind.startsWith('$2')) return `${kind}${DUMMY_BCRYPT}`;
  return `${kind}${kind.endsWith('$') ? '' : '$'}${DUMMY_ARGON2}`;
}

/** Returns false for an unreadable hash, on which Bun.password.verify throws. */
async function verifyOrFalse(password: string, hash: string): Promise<boolean> {
  try {
    return await Bun.password.verify(
      hash.startsWith('$2') ? bcryptInput(password) : password,
      hash,
    );
  } catch {
    return false;
  }
}

/**
 * Truncates a password as other bcrypt implementations do, even in the middle of a character. Bun
 * applies SHA-512 to a longer one, and would reject every imported hash of it.
 */
function bcryptInput(password: string): Uint8Array {
  return new TextEncoder().encode(password).subarray(0, BCRYPT_BYTES);
}

/** Returns a function that runs at most `concurrency` tasks at once. It throws overloaded. */
function createSemaphore(concurrency: number) {
  const limits = { maxTotal: concurrency, maxPerKey: concurrency, maxQueued: MAX_WAITING };
  const limiter = createKeyedLimiter(limits);
  return async <T>(work: () => Promise<T>): Promise<T> => {
    const release = await limiter.acquire('hash').catch((error: unknown) => {
      if (!(error instanceof QueueFullError)) throw error;
      throw new AppError('overloaded', 'Too many sign-ins at once', { retryAfterSeconds: 2 });
    });
    try {
      return await work();
    } finally {
      release();
    }
  };
}

/** Returns a new 256-bit secret in base64url. */
export function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))).toString('base64url');
}

/** Returns the SHA-256 of a token in hex; only the hash is stored. */
export function hashToken(token: string): string {
  return Bun.SHA256.hash(token, 'hex');
}
