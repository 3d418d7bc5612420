import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSecretBox,
  keyBytes,
  type SecretBoxOptions,
} from '../../../src/core/security/secret-box.ts';
import { tempDir } from '../../support.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 2).toString('hex');
const SECRET = 'hay-rack-9f31c07b';

function boxWith(options: Partial<SecretBoxOptions> = {}) {
  const dataDir = options.dataDir ?? tempDir();
  const box = createSecretBox({ key: '', oldKey: '', ...options, dataDir });
  return { ...box, dataDir, file: join(dataDir, 'secrets.key') };
}

describe('a secret', () => {
  test('is decrypted unchanged and does not appear in the sealed text', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'source up');
    expect(sealed).not.toContain(SECRET);
    expect(Buffer.from(sealed.split('.')[2] as string, 'base64url').toString()).not.toContain(
      SECRET,
    );
    expect(await box.open(sealed, 'source up')).toBe(SECRET);
  });

  test('sealed by an earlier build is decrypted', async () => {
    const sealed =
      'v1.526d3f6bfd7caf37.uBwhCT8Ub3LIjwYtubaJBHyGc0_rjy7ZUmxlZolAdZUMUEvfKv1FLfN8hWnw';
    expect(await boxWith({ key: KEY }).open(sealed, 'source up')).toBe(SECRET);
  });

  test('that was truncated is rejected', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'a');
    for (const length of [20, 25, 40, sealed.length - 2]) {
      await expect(box.open(sealed.slice(0, length), 'a')).rejects.toThrow('The secret was');
    }
  });

  // proves: cryptography.secrets-of-sources, 11.3.1
  test('is sealed differently each time', async () => {
    const box = boxWith({ key: KEY });
    expect(await box.seal(SECRET, 'a')).not.toBe(await box.seal(SECRET, 'a'));
  });

  // proves: cryptography.secrets-of-sources
  test('is rejected with another binding', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'header x-key of up');
    await expect(box.open(sealed, 'header x-key of down')).rejects.toThrow(
      'belongs to something else',
    );
  });

  // proves: 11.3.1
  test('is rejected after one bit has changed', async () => {
    const box = boxWith({ key: KEY });
    const [version, id, content = ''] = (await box.seal(SECRET, 'a')).split('.');
    const bytes = Buffer.from(content, 'base64url');
    for (const at of [0, 12, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      const sealed = `${version}.${id}.${changed.toString('base64url')}`;
      await expect(box.open(sealed, 'a')).rejects.toThrow('was changed');
    }
  });

  test('of another key is rejected with an identifier that does not reveal the key', async () => {
    const sealed = await boxWith({ key: KEY }).seal(SECRET, 'a');
    const error = await boxWith({ key: OTHER_KEY })
      .open(sealed, 'a')
      .catch((it: Error) => it);
    expect(String(error)).toMatch(/sealed with the key [0-9a-f]{16}, which is not available/);
    expect(String(error)).not.toContain(KEY);
  });

  test('of the old key is decrypted and is not current', async () => {
    const sealed = await boxWith({ key: KEY }).seal(SECRET, 'a');
    const box = boxWith({ key: OTHER_KEY, oldKey: KEY });
    expect(await box.open(sealed, 'a')).toBe(SECRET);
    expect(box.isCurrent(sealed)).toBe(false);
    expect(box.isCurrent(await box.seal(SECRET, 'a'))).toBe(true);
  });
});

describe('without a key in the settings', () => {
  // proves: cryptography.secrets-of-sources, 13.3.2
  test('the first secret creates one in a file of mode 0600', async () => {
    const box = boxWith();
    expect(existsSync(box.file)).toBe(false);
    const sealed = await box.seal(SECRET, 'a');
    expect(statSync(box.file).mode & 0o777).toBe(0o600);
    expect(keyBytes(readFileSync(box.file, 'utf8').trim())).toHaveLength(32);
    expect(await boxWith({ dataDir: box.dataDir }).open(sealed, 'a')).toBe(SECRET);
  });

  test('concurrent first secrets create one key', async () => {
    const dataDir = tempDir();
    const boxes = Array.from({ length: 10 }, () => boxWith({ dataDir }));
    const sealed = await Promise.all(boxes.map((box) => box.seal(SECRET, 'a')));
    const opened = await Promise.all(sealed.map((it) => boxes[0]?.open(it, 'a')));
    expect(new Set(opened)).toEqual(new Set([SECRET]));
  });

  test('decrypting does not recreate a missing file', async () => {
    const box = boxWith();
    const sealed = await box.seal(SECRET, 'a');
    rmSync(box.file);
    await expect(box.open(sealed, 'a')).rejects.toThrow('is not available');
    expect(existsSync(box.file)).toBe(false);
  });

  test('a file that others may read is rejected', async () => {
    const box = boxWith();
    await box.seal(SECRET, 'a');
    chmodSync(box.file, 0o644);
    await expect(box.seal(SECRET, 'a')).rejects.toThrow('must be 0600');
  });

  test('a file without a key is rejected', async () => {
    const box = boxWith();
    writeFileSync(box.file, 'nonsense\n', { mode: 0o600 });
    await expect(box.seal(SECRET, 'a')).rejects.toThrow('does not contain a key');
  });
});

test('a key is 32 bytes in hex or base64', () => {
  expect(keyBytes(KEY)).toEqual(Uint8Array.from(Buffer.alloc(32, 1)));
  expect(keyBytes(OTHER_KEY)).toEqual(Uint8Array.from(Buffer.alloc(32, 2)));
  for (const wrong of ['', 'x', KEY.slice(4), `${OTHER_KEY}00`])
    expect(keyBytes(wrong)).toBeUndefined();
});
