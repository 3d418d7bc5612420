import { dlopen, ptr } from 'bun:ffi';
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { wallMs } from '../ledger.ts';

/** FS_IOC_SHUTDOWN: the file system stops at once, and what is not on the disk is gone. */
const SHUTDOWN = 0x8004587d;
const WITHOUT_FLUSHING = 2;
const IMAGE_BYTES = 512 * 1024 * 1024;

/** A file system of its own, ext4 on a loop device. */
export interface RealDisk {
  /** A directory on it. */
  dir: string;
  /** Cuts the power and returns when, in ms of the wall clock. */
  cut(): number;
  /** Mounts it again, which replays the journal of the file system. */
  restore(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function hasRealCuts(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  if (!['losetup', 'mkfs.ext4', 'mount', 'umount'].every((command) => Bun.which(command))) {
    return false;
  }
  return Bun.spawnSync(['losetup', '--find'], { stdout: 'ignore', stderr: 'ignore' }).success;
}

export async function openRealDisk(): Promise<RealDisk> {
  const base = tempDir();
  const image = join(base, 'image');
  const mounted = join(base, 'mounted');
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  run(['mkfs.ext4', '-q', image]);
  mkdirSync(mounted);
  run(['mount', '-o', 'loop', image, mounted]);
  const dir = join(mounted, 'data');
  mkdirSync(dir);
  return {
    dir,
    cut: () => {
      const at = wallMs();
      shutDown(mounted);
      return at;
    },
    restore: async () => {
      run(['umount', mounted]);
      run(['mount', '-o', 'loop', image, mounted]);
    },
    [Symbol.asyncDispose]: async () => {
      run(['umount', mounted]);
      rmSync(base, { recursive: true });
    },
  };
}

function shutDown(path: string): void {
  const libc = dlopen('libc.so.6', { ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' } });
  const file = openSync(path, 'r');
  const result = libc.symbols.ioctl(file, SHUTDOWN, ptr(new Uint32Array([WITHOUT_FLUSHING])));
  closeSync(file);
  libc.close();
  if (result !== 0) throw new Error('The file system cannot be shut down.');
}

function run(args: string[]): void {
  const { success, stderr } = Bun.spawnSync(args, { stderr: 'pipe' });
  if (!success) throw new Error(`${args.join(' ')}: ${stderr.toString()}`);
}
