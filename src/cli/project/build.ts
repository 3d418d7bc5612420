import { basename, join, resolve } from 'node:path';
import { VERSION } from '../../core/version.ts';
import { bundle } from '../../project/bundle.ts';
import { writeExecutable } from '../../project/executable.ts';
import { withPlace } from '../../project/faults.ts';
import { bundleEntry, loadProject, resourceFiles, rootOf } from '../../project/load.ts';
import { rehearse } from '../../rehearsal.ts';
import type { Command } from '../command.ts';
import { configOf } from '../open.ts';

export const build: Command = {
  name: 'build',
  summary: 'Make one executable of hutch and the resources.',
  help: `Writes a copy of this executable that contains the resources and the packages that they import.
It has all commands of hutch and needs no other file. For another system, download its hutch and
name it by --base. Executables of macOS are signed, and a signed one with resources does not start.`,
  flags: {
    outfile: {
      value: 'file',
      help: 'The executable to write. Default: dist/<name of the project>.',
    },
    base: { value: 'file', help: 'The hutch to copy. Default: this one.' },
  },
  settings: ['resourcesDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const { resourcesDir } = config;
    const root = rootOf(resourcesDir);
    const project = await loadProject(resourcesDir);
    const { resources, migrations } = project;
    await withPlace(root, () => rehearse(config, project));
    const paths = resourceFiles(resourcesDir);
    const { code } = await bundle(bundleEntry(root, paths), root, { hasPackages: true });
    const { base = process.execPath } = invocation.flags;
    const { outfile = join(root, 'dist', basename(root)) } = invocation.flags;
    const files = paths.map((path) => path.slice(root.length + 1));
    const payload = { version: VERSION, code, files, migrations };
    await writeExecutable(base, resolve(outfile), payload);
    console.log(`Wrote ${outfile} with ${Object.keys(resources).join(', ')}.`);
    return 0;
  },
};
