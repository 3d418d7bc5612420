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

/** Why a secret cannot be sealed or opened. The message names no secret and no key. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Encrypts what must be used again and never shown. */
export interface SecretBox {
  /** AES-256-GCM by the current key; `binding` is what the text belongs to, and is not in it. */
  seal(text: string, binding: string): Promise<string>;
  /**
   * Reads the current key, or makes one, and returns what seals with it without reading a file: call
   * this before a transaction and the result in it.
   */
  sealer(): Sealer;
  /** Throws SecretError for a text of another key or binding, or a changed one. */
  open(sealed: string, binding: string): Promise<string>;
  /** Whether the current key sealed it. */
  isCurrent(sealed: string): boolean;
}

/** Encrypts as `SecretBox.seal` does. */
export type Sealer = (text: string, binding: string) => string;

export interface SecretBoxOptions {
  /** 32 bytes, base64 or hex; without it the key is in the file. */
  key: string;
  /** Opens what was sealed before `key` was set. */
  oldKey: string;
  /** Holds `secrets.key`, made when first needed. */
  dataDir: string;
}

const FORM = /^v1\.([0-9a-f]{16})\.([\w-]+)$/;
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FILE = 'secrets.key';

/** Nothing is read or made before the first secret. */
export function createSecretBox(options: SecretBoxOptions): SecretBox {
  const path = join(options.dataDir, FILE);
  const bytesOf = (text: string) => (text === '' ? undefined : keyBytes(text));
  const current = () => bytesOf(options.key) ?? readKeyFile(path);
  const sealer = (): Sealer => {
    const key = current() ?? makeKeyFile(path);
    return (text, binding) => sealBy(key, text, binding);
  };
  return {
    sealer,
    seal: async (text, binding) => sealer()(text, binding),
    open: async (sealed, binding) => {
      const [, id, content = ''] = sealed.match(FORM) ?? [];
      const known = [bytesOf(options.key), bytesOf(options.oldKey), readKeyFile(path)];
      const key = known.find((bytes) => bytes && idOf(bytes) === id);
      if (!key) throw new SecretError(`The secret was sealed by the key ${id}, which is not here`);
      return openBy(key, content, binding);
    },
    isCurrent: (sealed) => {
      const bytes = current();
      return bytes !== undefined && sealed.startsWith(`v1.${idOf(bytes)}.`);
    },
  };
}

/** The 32 bytes that a text spells in base64 or hex; undefined when it spells no such. */
export function keyBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  const isBase64 = /^[\w+/-]{43}=?$/.test(text);
  return isBase64 ? Uint8Array.from(Buffer.from(text, 'base64')) : undefined;
}

/** Names a key without telling it. */
function idOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher('sha256')
    .update('hutch key id')
    .update(bytes)
    .digest('hex')
    .slice(0, 16);
}

function sealBy(key: Uint8Array, text: string, binding: string): string {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(binding));
  const parts = [iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `v1.${idOf(key)}.${Buffer.concat(parts).toString('base64url')}`;
}

function openBy(key: Uint8Array, content: string, binding: string): string {
  const bytes = Buffer.from(content, 'base64url');
  const iv = bytes.subarray(0, IV_BYTES);
  try {
    const cipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(binding));
    cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = cipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([text, cipher.final()]).toString();
  } catch {
    throw new SecretError('The secret was changed, or belongs elsewhere');
  }
}

/** Throws SecretError for a file that others may read or that holds no key. */
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
    const isOpen = (fstatSync(file).mode & 0o077) !== 0;
    if (isOpen) throw new SecretError(`${FILE} can be read by others: its mode must be 0600`);
    const bytes = keyBytes(readFileSync(file, 'utf8').trim());
    if (!bytes) throw new SecretError(`${FILE} does not hold a key`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Whole or not at all, and only one, however many make it at once. */
function makeKeyFile(path: string): Uint8Array<ArrayBuffer> {
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
  // Before any secret is: one that outlived its key would be lost.
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
