import { join } from 'node:path';
import { type Contract, contractOf, type Document } from '../../src/project/contract/document.ts';
import { breakingChanges } from '../../src/project/contract/rules.ts';
import { testApp } from '../support.ts';

type Version = 'v1' | 'v2';

/**
 * `bun run contract` compares the OpenAPI document of the server with the recorded contract
 * (v1.json, v2.json), and fails on a breaking change or an addition that is not recorded yet.
 * `bun run contract:accept` records the current document; the commit explains why.
 */
const isAccepting = Bun.argv.includes('--accept');

async function currentDocument(): Promise<Document> {
  await using t = await testApp();
  return (await (await t.request('GET', '/openapi.json')).json()) as Document;
}

/** Health checks, which have no version, belong to v2. */
const isPartOf = (version: Version) => (path: string) =>
  path.startsWith('/api/v1/') === (version === 'v1');

function fileOf(version: Version) {
  return Bun.file(join(import.meta.dir, `${version}.json`));
}

async function recorded(version: Version): Promise<Contract> {
  const file = fileOf(version);
  return (await file.exists()) ? file.json() : {};
}

const document = await currentDocument();
let isKept = true;
for (const version of ['v1', 'v2'] as const) {
  const [was, is] = [await recorded(version), contractOf(document, isPartOf(version))];
  const breaks = breakingChanges(was, is);
  const text = `${JSON.stringify(is, null, 1)}\n`;
  const isSame = Bun.deepEquals(was, JSON.parse(text));
  for (const it of breaks) console.error(`${version} breaks: ${it}`);
  if (isAccepting) await fileOf(version).write(text);
  else if (!isSame)
    console.error(
      `${version} differs from test/contract/${version}.json: record it by bun run contract:accept`,
    );
  isKept &&= isAccepting || isSame;
}
if (isKept) console.log(isAccepting ? 'Accepted.' : 'The contract is kept.');
process.exitCode = isKept ? 0 : 1;
