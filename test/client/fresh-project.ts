import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildClient } from '../../build-client.ts';
import { tempDir } from '../support.ts';

export interface Packed {
  /** Contains the folder, the tarball and the projects. */
  dir: string;
  /** The folder that was packed. */
  folder: string;
  tarball: string;
  files: string[];
  unpackedBytes: number;
}

/** Builds the client's package and packs it. */
export async function packClient(): Promise<Packed> {
  const dir = tempDir();
  const folder = join(dir, 'package');
  await buildClient(folder);
  const { stdout } = await run(['npm', 'pack', '--json', '--pack-destination', dir], folder);
  const [report] = JSON.parse(stdout);
  const files = report.files.map((file: { path: string }) => file.path).sort();
  const tarball = join(dir, report.filename);
  return { dir, folder, tarball, files, unpackedBytes: report.unpackedSize };
}

/** Creates a project that contains only the client. */
export async function freshProject({ dir: root, tarball }: Packed, files: Record<string, string>) {
  const dir = mkdtempSync(join(root, 'project-'));
  const manifest = { name: 'fresh', private: true, type: 'module' };
  await Bun.write(join(dir, 'package.json'), JSON.stringify(manifest));
  await install(dir, tarball);
  for (const [name, text] of Object.entries(files)) await Bun.write(join(dir, name), text);
  return dir;
}

/** Creates a copy of examples/consumer as it is after `npm install`. */
export async function consumerExample({ dir: root, tarball }: Packed) {
  const dir = mkdtempSync(join(root, 'project-'));
  for (const name of ['index.ts', 'tour.ts', 'tsconfig.json']) {
    cpSync(join('examples/consumer', name), join(dir, name));
  }
  await Bun.write(join(dir, 'package.json'), '{"private":true,"type":"module"}');
  await install(dir, tarball);
  mkdirSync(join(dir, 'node_modules/@types'));
  symlinkSync(resolve('node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
  return dir;
}

/** Returns the error codes of `tsc` in the project in `dir`, by `file:line`. */
export async function compile(dir: string) {
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const { stdout } = await run([process.execPath, tsc, '--pretty', 'false'], dir);
  const errors = stdout.matchAll(/^(.+?)\((\d+),\d+\): error (TS\d+)/gm);
  return Object.fromEntries(
    Array.from(errors, ([, file, line, code]) => [`${file}:${line}`, code]),
  );
}

export async function run(command: string[], cwd: string) {
  const child = Bun.spawn(command, { cwd, stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

async function install(dir: string, tarball: string) {
  const quiet = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { exitCode, stderr } = await run(['npm', 'install', ...quiet, tarball], dir);
  if (exitCode !== 0) throw new Error(stderr);
}
