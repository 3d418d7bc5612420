import { join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { previewUpgrade } from '../../core/db/db.ts';
import { folderSchemaOf } from '../../core/deps.ts';
import { StartupError } from '../../core/exceptions.ts';
import { compile } from '../../project/compiler.ts';
import type { Document } from '../../project/contract/document.ts';
import { acceptContract, checkContract } from '../../project/contract/gate.ts';
import { refreshDeclarations } from '../../project/declarations.ts';
import { withPlace } from '../../project/faults.ts';
import { loadProject } from '../../project/load.ts';
import type { Project } from '../../project/project.ts';
import { rehearse } from '../../rehearsal.ts';
import type { Command } from '../command.ts';
import { configOf } from '../open.ts';

/** A part of the check: what it found, and whether that is a fault. */
interface Finding {
  lines: string[];
  isFault: boolean;
}

export const check: Command = {
  name: 'check',
  summary: 'Check the resources: faults, types, API contract and schema.',
  help: `Loads the resources as hutch serve does, and compares their API with contract.json, the API that
you accepted last: a change that breaks clients is a fault, and so is one that is not accepted yet.
Compiles with TypeScript if the project has it (npm install typescript). Exits with 1 if there is a
fault.`,
  flags: { accept: { help: 'Write the present API to contract.json.' } },
  settings: ['dataDir', 'resourcesDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const project = await loadProject(config.resourcesDir);
    const { root, resources } = project;
    await refreshDeclarations(root);
    const names = Object.keys(resources);
    const document = await withPlace(root, () => rehearse<Document>(config, project));
    if (invocation.switches.has('accept')) await acceptContract(root, document, names);
    const findings = [
      { lines: [`Resources: ${names.join(', ')}.`], isFault: false },
      await contractFinding(root, document, names),
      schemaFinding(config, project),
      await typesFinding(root),
    ];
    for (const { lines, isFault } of findings) print(lines, isFault);
    return findings.some(({ isFault }) => isFault) ? 1 : 0;
  },
};

function print(lines: readonly string[], isFault: boolean): void {
  for (const line of lines) {
    if (isFault) console.error(line);
    else console.log(line);
  }
}

async function contractFinding(
  root: string,
  document: Document,
  names: readonly string[],
): Promise<Finding> {
  const { breaks, state } = await checkContract(root, document, names);
  switch (state) {
    case 'new':
      return { lines: ['Contract: none yet. hutch check --accept writes it.'], isFault: false };
    case 'same':
      return { lines: ['Contract: unchanged.'], isFault: false };
    case 'changed':
      return {
        lines: ['Contract: there are additions. hutch check --accept accepts them.'],
        isFault: true,
      };
    case 'broken':
      return { lines: breaks.map((it) => `Contract: breaks clients: ${it}.`), isFault: true };
  }
}

function schemaFinding({ dataDir }: Config, project: Project): Finding {
  try {
    const folder = folderSchemaOf(project);
    const { migrations, steps } = previewUpgrade(join(dataDir, 'hutch.db'), folder);
    const all = [...migrations.map((tag) => `migrations/${tag}.sql`), ...steps];
    const lines = all.map((it) => `Schema: the next start applies: ${it.replaceAll(/\s+/g, ' ')}`);
    return { lines: lines.length > 0 ? lines : ['Schema: unchanged.'], isFault: false };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return { lines: error.message.split('\n').map((line) => `Schema: ${line}`), isFault: true };
  }
}

async function typesFinding(root: string): Promise<Finding> {
  const output = await compile(root);
  if (output === undefined) {
    return { lines: ['Types: not checked, TypeScript is not installed here.'], isFault: false };
  }
  return output === ''
    ? { lines: ['Types: no errors.'], isFault: false }
    : { lines: output.split('\n').map((line) => `Types: ${line}`), isFault: true };
}
