import { join } from 'node:path';
import { tempDir } from '../../support.ts';

const libraries = new Map<string, string>();

/** True if servers can run with a shim: on Linux, with a C compiler, which is installed if possible. */
export async function hasShim(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  if (compiler() === null && process.getuid?.() === 0 && Bun.which('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    Bun.spawnSync(['apt-get', 'update'], { env });
    Bun.spawnSync(['apt-get', 'install', '-y', 'gcc', 'libc6-dev'], { env });
  }
  return compiler() !== null;
}

/** The path of a library for LD_PRELOAD, of `name`.c, which is compiled once. Throws when it cannot be. */
export function shimLibrary(name: 'disk-shim' | 'clock-shim'): string {
  const known = libraries.get(name);
  if (known) return known;
  const path = join(tempDir(), `${name}.so`);
  const source = join(import.meta.dir, `${name}.c`);
  const args = ['-shared', '-fPIC', '-O2', '-o', path, source, '-ldl', '-lpthread'];
  const { success, stderr } = Bun.spawnSync([compiler() ?? 'cc', ...args], { stderr: 'pipe' });
  if (!success) throw new Error(stderr.toString());
  libraries.set(name, path);
  return path;
}

function compiler(): string | null {
  return Bun.which('cc') ?? Bun.which('gcc') ?? Bun.which('clang');
}
