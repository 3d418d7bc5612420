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
  test('comes back as it was, and is not in what is stored', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'source up');
    expect(sealed).not.toContain(SECRET);
    expect(Buffer.from(sealed.split('.')[2] as string, 'base64url').toString()).not.toContain(
      SECRET,
    );
    expect(await box.open(sealed, 'source up')).toBe(SECRET);
  });

  test('of an earlier build is opened', async () => {
    const sealed =
      'v1.526d3f6bfd7caf37.uBwhCT8Ub3LIjwYtubaJBHyGc0_rjy7ZUmxlZolAdZUMUEvfKv1FLfN8hWnw';
    expect(await boxWith({ key: KEY }).open(sealed, 'source up')).toBe(SECRET);
  });

  test('that was cut short is not opened', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'a');
    for (const length of [20, 25, 40, sealed.length - 2]) {
      await expect(box.open(sealed.slice(0, length), 'a')).rejects.toThrow('The secret was');
    }
  });

  // proves: cryptography.secrets-of-sources, 11.3.1
  test('is never sealed the same way twice', async () => {
    const box = boxWith({ key: KEY });
    expect(await box.seal(SECRET, 'a')).not.toBe(await box.seal(SECRET, 'a'));
  });

  // proves: cryptography.secrets-of-sources
  test('is not opened for what it does not belong to', async () => {
    const box = boxWith({ key: KEY });
    const sealed = await box.seal(SECRET, 'header x-key of up');
    await expect(box.open(sealed, 'header x-key of down')).rejects.toThrow('belongs elsewhere');
  });

  // proves: 11.3.1
  test('is not opened when one bit of it was changed', async () => {
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

  test('of another key is refused by the name of that key, which tells nothing of it', async () => {
    const sealed = await boxWith({ key: KEY }).seal(SECRET, 'a');
    const error = await boxWith({ key: OTHER_KEY })
      .open(sealed, 'a')
      .catch((it: Error) => it);
    expect(String(error)).toMatch(/sealed by the key [0-9a-f]{16}, which is not here/);
    expect(String(error)).not.toContain(KEY);
  });

  test('of the old key is opened and is not current', async () => {
    const sealed = await boxWith({ key: KEY }).seal(SECRET, 'a');
    const box = boxWith({ key: OTHER_KEY, oldKey: KEY });
    expect(await box.open(sealed, 'a')).toBe(SECRET);
    expect(box.isCurrent(sealed)).toBe(false);
    expect(box.isCurrent(await box.seal(SECRET, 'a'))).toBe(true);
  });
});

describe('without a key in the settings', () => {
  // proves: cryptography.secrets-of-sources, 13.3.2
  test('one is made at the first secret, in a file of 0600', async () => {
    const box = boxWith();
    expect(existsSync(box.file)).toBe(false);
    const sealed = await box.seal(SECRET, 'a');
    expect(statSync(box.file).mode & 0o777).toBe(0o600);
    expect(keyBytes(readFileSync(box.file, 'utf8').trim())).toHaveLength(32);
    expect(await boxWith({ dataDir: box.dataDir }).open(sealed, 'a')).toBe(SECRET);
  });

  test('many who make it at once make one', async () => {
    const dataDir = tempDir();
    const boxes = Array.from({ length: 10 }, () => boxWith({ dataDir }));
    const sealed = await Promise.all(boxes.map((box) => box.seal(SECRET, 'a')));
    const opened = await Promise.all(sealed.map((it) => boxes[0]?.open(it, 'a')));
    expect(new Set(opened)).toEqual(new Set([SECRET]));
  });

  test('a file that is gone opens nothing and is not made for it', async () => {
    const box = boxWith();
    const sealed = await box.seal(SECRET, 'a');
    rmSync(box.file);
    await expect(box.open(sealed, 'a')).rejects.toThrow('is not here');
    expect(existsSync(box.file)).toBe(false);
  });

  test('a file that others may read is refused', async () => {
    const box = boxWith();
    await box.seal(SECRET, 'a');
    chmodSync(box.file, 0o644);
    await expect(box.seal(SECRET, 'a')).rejects.toThrow('must be 0600');
  });

  test('a file that holds no key is refused', async () => {
    const box = boxWith();
    writeFileSync(box.file, 'nonsense\n', { mode: 0o600 });
    await expect(box.seal(SECRET, 'a')).rejects.toThrow('does not hold a key');
  });
});

test('a key is 32 bytes in hex or base64 and nothing else', () => {
  expect(keyBytes(KEY)).toEqual(Uint8Array.from(Buffer.alloc(32, 1)));
  expect(keyBytes(OTHER_KEY)).toEqual(Uint8Array.from(Buffer.alloc(32, 2)));
  for (const wrong of ['', 'x', KEY.slice(4), `${OTHER_KEY}00`])
    expect(keyBytes(wrong)).toBeUndefined();
});
