import { KeyedLimiter, QueueFullError } from '../../utils/async/keyed-limiter.ts';
import { AppError } from '../exceptions.ts';

/** argon2id at OWASP's minimum: 19 MiB, 2 passes (Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
/** Hashes that may wait for a place: about two seconds of waiting on two cores. */
const MAX_WAITING = 64;
const TOKEN_BYTES = 32;
/** The length that bcrypt is made for; passlib and Go cut there. */
const BCRYPT_BYTES = 72;
/** Salt and hash of a forgotten random password, for hashes of any cost. */
const DUMMY_ARGON2 =
  'JIs8gcBAgvMTE3nLwmWkGPPZFaC8BHbOltwD567eDmY$SllKhBxydfKHUhKX/bk7AUFRESFLdzXWJtucNGq1nPg';
const DUMMY_BCRYPT = 'aXq1Y0c1uQdZ9oJYx0QyXOq8b8p3m8yZ3vN8m0n0sZ0a8pQ2cJb1K';

export interface PasswordHasher {
  /** Throws overloaded when too many hashes wait already. */
  hash(password: string): Promise<string>;
  /**
   * Whether `password` made `hash`. Throws overloaded, as `hash` does. A no without a hash costs
   * as much as one with a new hash. With `kinds`, of all hashes that there are, every no costs one
   * hash of each kind, so that its time tells nothing of the account.
   */
  verify(password: string, hash: string | undefined, kinds?: readonly string[]): Promise<boolean>;
  /** Whether a stored hash was made otherwise than new ones are: to be renewed at sign-in. */
  isWeak(hash: string): boolean;
}

export interface PasswordHasherOptions {
  /** Hashes that run at once: each takes a core and its memory. */
  concurrency: number;
  /** Cost of a new hash, KiB; less than the default is for tests alone. */
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

/** The parameters that determine the time of a hash: PASSWORD_KIND of services/accounts/password.ts. */
function kindOf(hash: string): string {
  return hash.startsWith('$2') ? hash.slice(0, 7) : hash.slice(0, hash.indexOf(',p=') + 5);
}

function dummyOf(kind: string): string {
  if (kind.startsWith('$2')) return `${kind}${DUMMY_BCRYPT}`;
  return `${kind}${kind.endsWith('$') ? '' : '$'}${DUMMY_ARGON2}`;
}

/** Bun.password.verify throws on a hash that it cannot read: that is a no. */
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
 * What others' bcrypt reads of a password, in the middle of a character too. Bun reads all of a
 * longer one, by way of SHA-512, and would refuse every hash that was imported for one.
 */
function bcryptInput(password: string): Uint8Array {
  return new TextEncoder().encode(password).subarray(0, BCRYPT_BYTES);
}

/** Returns a function that runs at most `concurrency` tasks at once. It throws overloaded. */
function createSemaphore(concurrency: number) {
  const limits = { maxTotal: concurrency, maxPerKey: concurrency, maxQueued: MAX_WAITING };
  const limiter = new KeyedLimiter(limits);
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

/** A new 256-bit secret, base64url. */
export function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))).toString('base64url');
}

/** SHA-256 of a token, hex: what is stored in its place. */
export function hashToken(token: string): string {
  return Bun.SHA256.hash(token, 'hex');
}
