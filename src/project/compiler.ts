import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs the TypeScript compiler that is installed in `root` and returns its output, which is empty
 * without errors. Returns undefined if there is none.
 */
export async function compile(root: string): Promise<string | undefined> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc) || !existsSync(join(root, 'tsconfig.json'))) return undefined;
  const child = Bun.spawn([process.execPath, tsc, '--noEmit', '--pretty', 'false', '-p', '.'], {
    cwd: root,
    // The executable then works as Bun, so that neither Bun nor Node must be installed.
    env: { BUN_BE_BUN: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const failed = (await child.exited) !== 0;
  return failed ? `${output}${errors}`.trim() || 'tsc failed.' : '';
}
