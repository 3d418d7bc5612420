import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { newToken } from './security.ts';

/** A secret cannot be sealed or opened. The message contains no secret and no key. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Encrypts secrets that are needed again in plain text, such as API keys of sources. */
export interface SecretBox {
  /** Encrypts with AES-256-GCM and the current key. `binding` names the owner of the text and is authenticated, not stored. */
  seal(text: string, binding: string): Promise<string>;
  /**
   * Reads the current key, or creates one, and returns a function that seals with it without reading
   * files: call this before a transaction, and the result inside it.
   */
  sealer(): Sealer;
  /** Decrypts. Throws SecretError if the key or binding differs or the text was changed. */
  open(sealed: string, binding: string): Promise<string>;
  /** Returns true if `sealed` was encrypted with the current key. */
  isCurrent(sealed: string): boolean;
}

/** Encrypts like `SecretBox.seal`. */
export type Sealer = (text: string, binding: string) => string;

export interface SecretBoxOptions {
  /** 32 bytes in base64 or hex; if empty, the key is in the file. */
  key: string;
  /** The previous key, which only decrypts. */
  oldKey: string;
  /** Contains `secrets.key`, which is created when first needed. */
  dataDir: string;
}

const FORM = /^v1\.([0-9a-f]{16})\.([\w-]+)$/;
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FILE = 'secrets.key';

/** Creates a box that reads and creates no file before the first secret. */
export function createSecretBox(options: SecretBoxOptions): SecretBox {
  const path = join(options.dataDir, FILE);
  const current = () => keyBytes(options.key) ?? readKeyFile(path);
  const sealer = (): Sealer => {
    const key = current() ?? createKeyFile(path);
    return (text, binding) => encrypt(key, text, binding);
  };
  return {
    sealer,
    seal: async (text, binding) => sealer()(text, binding),
    open: async (sealed, binding) => {
      const [, id, content = ''] = sealed.match(FORM) ?? [];
      const keys = [keyBytes(options.key), keyBytes(options.oldKey), readKeyFile(path)];
      const key = keys.find((bytes) => bytes && idOf(bytes) === id);
      if (!key)
        throw new SecretError(`The secret was sealed with the key ${id}, which is not available`);
      return decrypt(key, content, binding);
    },
    isCurrent: (sealed) => {
      const bytes = current();
      return bytes !== undefined && sealed.startsWith(`v1.${idOf(bytes)}.`);
    },
  };
}

/** Decodes a 32-byte key from base64 or hex; undefined if the text is neither. */
export function keyBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  const isBase64 = /^[\w+/-]{43}=?$/.test(text);
  return isBase64 ? Uint8Array.from(Buffer.from(text, 'base64')) : undefined;
}

/** Returns an identifier of a key that does not reveal it. */
function idOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher('sha256')
    .update('hutch key id')
    .update(bytes)
    .digest('hex')
    .slice(0, 16);
}

function encrypt(key: Uint8Array, text: string, binding: string): string {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(binding));
  const parts = [iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `v1.${idOf(key)}.${Buffer.concat(parts).toString('base64url')}`;
}

function decrypt(key: Uint8Array, content: string, binding: string): string {
  const bytes = Buffer.from(content, 'base64url');
  const iv = bytes.subarray(0, IV_BYTES);
  try {
    const cipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(binding));
    cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = cipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([text, cipher.final()]).toString();
  } catch {
    throw new SecretError('The secret was changed or belongs to something else');
  }
}

/** Returns the key in a file, if there is one. Throws SecretError if others may read it or it contains no key. */
function readKeyFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw new SecretError(`${FILE} is a symbolic link`);
    throw new SecretError(`${FILE} cannot be read`);
  }
  try {
    const isShared = (fstatSync(file).mode & 0o077) !== 0;
    if (isShared) throw new SecretError(`${FILE} can be read by others: its mode must be 0600`);
    const bytes = keyBytes(readFileSync(file, 'utf8').trim());
    if (!bytes) throw new SecretError(`${FILE} does not contain a key`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Creates the key file atomically and returns its key; concurrent calls agree on one key. */
function createKeyFile(path: string): Uint8Array<ArrayBuffer> {
  const draft = `${path}.${newToken().slice(0, 8)}`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(
      file,
      `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}\n`,
    );
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  // The key must be durable before any secret: a secret that outlives its key is lost.
  syncFolder(dirname(path));
  return readKeyFile(path) as Uint8Array<ArrayBuffer>;
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
