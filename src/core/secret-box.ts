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
  /** Throws SecretError for a text of another key or binding, or a changed one. */
  open(sealed: string, binding: string): Promise<string>;
  /** Whether the current key sealed it. */
  isCurrent(sealed: string): boolean;
}

export interface SecretBoxOptions {
  /** 32 bytes, base64 or hex; without it the key is in the file. */
  key: string;
  /** Opens what was sealed before `key` was set. */
  oldKey: string;
  /** Holds `secrets.key`, made when first needed. */
  dataDir: string;
}

interface Key {
  /** Names the key without telling it. */
  id: string;
  key: CryptoKey;
}

const FORM = /^v1\.([0-9a-f]{16})\.([\w-]+)$/;
const IV_BYTES = 12;
const FILE = 'secrets.key';

/** Nothing is read or made before the first secret. */
export function createSecretBox(options: SecretBoxOptions): SecretBox {
  const path = join(options.dataDir, FILE);
  const imported = new Map<string, Key>();
  const use = (bytes: Uint8Array) => importOnce(imported, bytes);
  const bytesOf = (text: string) => (text === '' ? undefined : keyBytes(text));
  const current = (mayMake: boolean) => {
    const bytes = bytesOf(options.key) ?? readKeyFile(path) ?? (mayMake && makeKeyFile(path));
    return bytes ? use(bytes) : undefined;
  };
  return {
    seal: async (text, binding) => sealBy((await current(true)) as Key, text, binding),
    open: async (sealed, binding) => {
      const [, id, content = ''] = sealed.match(FORM) ?? [];
      const known = [bytesOf(options.key), bytesOf(options.oldKey), readKeyFile(path)];
      const keys = await Promise.all(known.flatMap((bytes) => (bytes ? [use(bytes)] : [])));
      const key = keys.find((it) => it.id === id);
      if (!key) throw new SecretError(`The secret was sealed by the key ${id}, which is not here`);
      return openBy(key, content, binding);
    },
    isCurrent: (sealed) => {
      const bytes = bytesOf(options.key) ?? readKeyFile(path);
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

async function importOnce(imported: Map<string, Key>, bytes: Uint8Array): Promise<Key> {
  const id = idOf(bytes);
  const known = imported.get(id);
  if (known) return known;
  const usages = ['encrypt', 'decrypt'] as const;
  const raw = Uint8Array.from(bytes);
  const key = { id, key: await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [...usages]) };
  imported.set(id, key);
  return key;
}

function idOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher('sha256')
    .update('hutch key id')
    .update(bytes)
    .digest('hex')
    .slice(0, 16);
}

async function sealBy({ id, key }: Key, text: string, binding: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = { name: 'AES-GCM', iv, additionalData: Buffer.from(binding) };
  const sealed = await crypto.subtle.encrypt(algorithm, key, Buffer.from(text));
  return `v1.${id}.${Buffer.concat([iv, new Uint8Array(sealed)]).toString('base64url')}`;
}

async function openBy({ key }: Key, content: string, binding: string): Promise<string> {
  const bytes = Uint8Array.from(Buffer.from(content, 'base64url'));
  const iv = bytes.subarray(0, IV_BYTES);
  const algorithm = { name: 'AES-GCM', iv, additionalData: Buffer.from(binding) };
  try {
    const text = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(IV_BYTES));
    return Buffer.from(text).toString();
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
