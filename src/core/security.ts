import { AppError } from './exceptions.ts';

/** argon2id at OWASP's minimum: 19 MiB, 2 passes (Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
/** Hashes that may wait for a place: about two seconds of waiting on two cores. */
const MAX_WAITING = 64;
const TOKEN_BYTES = 32;
/** The length that bcrypt is made for; passlib and Go cut there. */
const BCRYPT_BYTES = 72;
/** The hash of a forgotten random password, with the settings above. */
const DUMMY_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$JIs8gcBAgvMTE3nLwmWkGPPZFaC8BHbOltwD567eDmY$SllKhBxydfKHUhKX/bk7AUFRESFLdzXWJtucNGq1nPg';

export interface PasswordHasher {
  /** Throws overloaded when too many hashes wait already. */
  hash(password: string): Promise<string>;
  /**
   * Whether `password` made `hash`. Without a hash it takes the same time and says no, so that
   * an unknown account cannot be told by its speed. Throws overloaded, as `hash` does.
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
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
  const inTurn = createTurns(concurrency);
  const settings = { ...ARGON2ID, memoryCost: memoryKib };
  return {
    hash: (password) => inTurn(() => Bun.password.hash(password, settings)),
    isWeak: (hash) => !hash.startsWith(`$argon2id$v=19$m=${settings.memoryCost},t=2,`),
    verify: async (password, stored) => {
      const matches = await inTurn(() => verifyOrFalse(password, stored ?? DUMMY_HASH));
      return matches && stored !== undefined;
    },
  };
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

function createTurns(concurrency: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) {
      if (waiting.length >= MAX_WAITING) {
        throw new AppError('overloaded', 'Too many sign-ins at once', { retryAfterSeconds: 2 });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
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
