import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../src/core/config/config.ts';
import { startWarnings } from '../../../src/core/config/warnings.ts';
import { databasePath } from '../../../src/core/db/data-dir.ts';
import { StartupError } from '../../../src/core/exceptions.ts';
import { createSecretBox } from '../../../src/core/security/secret-box.ts';
import { tempDir } from '../../support.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describe('a data directory', () => {
  test('is created for its owner only', () => {
    const dir = join(tempDir(), 'new');
    databasePath(dir);
    expect(modeOf(dir)).toBe('700');
  });

  test.each([
    ['777', '755'],
    ['770', '750'],
    ['2775', '2755'],
    ['750', '750'],
    ['1777', '1777'],
    // proves: outbound-calls.files
  ])('with mode %s has mode %s afterwards', (before, after) => {
    const dir = tempDir();
    chmodSync(dir, Number.parseInt(before, 8));
    databasePath(dir);
    expect(modeOf(dir)).toBe(after);
  });

  const files = ['hutch.db', 'hutch.db-wal', 'hutch.db-shm', 'hutch.lock', 'secrets.key', 'outbox'];
  test.each(files)(
    // proves: outbound-calls.files
    'is refused if %s in it is a symbolic link, and the target does not change',
    (name) => {
      const [dir, elsewhere] = [tempDir(), join(tempDir(), 'target')];
      writeFileSync(elsewhere, 'of somebody else', { mode: 0o644 });
      symlinkSync(elsewhere, join(dir, name));
      expect(() => databasePath(dir)).toThrow(StartupError);
      expect(modeOf(elsewhere)).toBe('644');
    },
  );

  test('is refused if it is a dangling link, and its target is not created', () => {
    const [dir, elsewhere] = [tempDir(), join(tempDir(), 'target')];
    symlinkSync(elsewhere, join(dir, 'hutch.db'));
    expect(() => databasePath(dir)).toThrow('is a symbolic link');
    expect(existsSync(elsewhere)).toBe(false);
  });
});

test('a key is not read if it becomes a symbolic link while the server runs', async () => {
  const [dir, elsewhere] = [tempDir(), join(tempDir(), 'key')];
  writeFileSync(elsewhere, Buffer.alloc(32, 1).toString('base64'), { mode: 0o600 });
  symlinkSync(elsewhere, join(dir, 'secrets.key'));
  const box = createSecretBox({ key: '', oldKey: '', dataDir: dir });
  await expect(box.seal('secret', 'of a test')).rejects.toThrow('secrets.key is a symbolic link');
});

describe('the warnings at start', () => {
  const warningsOf = (env: Record<string, string>, dataDir = tempDir()) =>
    startWarnings(loadConfig({ 'data-dir': dataDir }, env));

  test('are empty for a server on loopback or behind its public URL', () => {
    expect(warningsOf({})).toEqual([]);
    const behind = { HUTCH_HOST: '0.0.0.0', HUTCH_PUBLIC_URL: 'https://api.example.com' };
    expect(warningsOf(behind)).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '192.168.1.2', 'box.example.com'])(
    // proves: outbound-calls.inbound
    'name open registration and a missing public URL on %s',
    (HUTCH_HOST) => {
      const warnings = warningsOf({ HUTCH_HOST });
      expect(warnings).toHaveLength(2);
      expect(warnings[0]).toContain('HUTCH_REGISTRATION');
      expect(warnings[1]).toContain('HUTCH_PUBLIC_URL');
      expect(warningsOf({ HUTCH_HOST, HUTCH_REGISTRATION: 'closed' })).toHaveLength(1);
    },
  );

  // proves: outbound-calls.inbound
  test('report a public URL without TLS and disabled limits', () => {
    expect(warningsOf({ HUTCH_PUBLIC_URL: 'http://api.example.com' })).toHaveLength(1);
    expect(warningsOf({ HUTCH_PUBLIC_URL: 'http://localhost:3000' })).toEqual([]);
    expect(warningsOf({ HUTCH_RATE_LIMIT: 'off' })).toHaveLength(1);
  });

  // proves: outbound-calls.files
  test('report a data directory that others may write to', () => {
    const dir = join(tempDir(), 'shared');
    mkdirSync(dir);
    chmodSync(dir, 0o1777);
    expect(warningsOf({}, dir)[0]).toContain('Others may write');
  });
});
