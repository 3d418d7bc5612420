import { join } from 'node:path';
import { type Contract, contractOf, type Document } from './document.ts';
import { breakingChanges } from './rules.ts';

const FILE = 'contract.json';

export interface GateReport {
  /** The changes that break clients, one sentence each. */
  breaks: string[];
  /** `new`: nothing was accepted yet. `changed`: there are changes that break nothing. */
  state: 'new' | 'same' | 'changed' | 'broken';
}

/** Compares the API of the resources `names` with the last accepted one, in contract.json of `root`. */
export async function checkContract(
  root: string,
  document: Document,
  names: readonly string[],
): Promise<GateReport> {
  const file = Bun.file(join(root, FILE));
  if (!(await file.exists())) return { breaks: [], state: 'new' };
  const accepted = (await file.json()) as Contract;
  const current = ownContract(document, names);
  const breaks = breakingChanges(accepted, current);
  if (breaks.length > 0) return { breaks, state: 'broken' };
  const isSame = Bun.deepEquals(accepted, JSON.parse(JSON.stringify(current)));
  return { breaks, state: isSame ? 'same' : 'changed' };
}

/** Accepts the API of the resources `names`: writes it to contract.json of `root`. */
export async function acceptContract(
  root: string,
  document: Document,
  names: readonly string[],
): Promise<void> {
  const text = JSON.stringify(ownContract(document, names), null, 1);
  await Bun.write(join(root, FILE), `${text}\n`);
}

function ownContract(document: Document, names: readonly string[]): Contract {
  const paths = names.map((name) => `/api/v2/${name}`);
  const isOwn = (path: string) => paths.some((it) => path === it || path.startsWith(`${it}/`));
  return contractOf(document, isOwn);
}
