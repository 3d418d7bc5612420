import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { ADMIN, COMMAND, serve } from './hutch.ts';

const env = { PATH: process.env['PATH'] ?? '' };

/** Runs a bash script, in which "$@" is the command, in a directory with 5,000 items. */
async function bash(dir: string, script: string) {
  const child = Bun.spawn(['bash', '-c', script, 'bash', ...COMMAND], {
    env: { ...env, HUTCH_DATA_DIR: dir, OWNER: ADMIN.username },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

async function withAdmin(): Promise<string> {
  const dir = tempDir();
  await using server = await serve(dir, { env: ADMIN.env });
  await server.stop();
  return dir;
}

describe('a command whose reader has closed the pipe', () => {
  test('ends an export silently, with the status of a broken pipe', async () => {
    const dir = await withAdmin();
    const line = `{"title":"straw","description":"${'x'.repeat(500)}"}\n`;
    await Bun.write(join(dir, 'items.jsonl'), line.repeat(2000));
    await bash(dir, `"$@" items import ${dir}/items.jsonl --owner "$OWNER"`);
    const script = '"$@" items export - --owner "$OWNER" | head -n 1 | wc -l; echo "$PIPESTATUS"';
    expect(await bash(dir, script)).toEqual({ stdout: '1\n141', stderr: '' });
  }, 30_000);

  test.each(['settings', 'openapi', 'version', '--help', 'serve --help'])(
    'ends %s silently',
    async (command) => {
      const script = `exec 3>&1; { sleep 0.2; "$@" ${command}; echo $? >&3; } | true`;
      const { stdout, stderr } = await bash(tempDir(), script);
      expect(stderr).toBe('');
      expect(stdout).toBeOneOf(['0', '141']);
    },
    30_000,
  );
});

test.each(['items import - --owner "$OWNER"', 'users import -'])(
  '%s from a directory reports standard input, with status 2',
  async (command) => {
    const { stdout, stderr } = await bash(tempDir(), `"$@" ${command} < /; echo $?`);
    expect(stdout).toBe('2');
    expect(stderr).toStartWith('Standard input cannot be read: it is a directory.');
  },
  30_000,
);
