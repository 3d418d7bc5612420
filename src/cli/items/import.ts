import { createItemReader } from '../../api/responses/new-item.ts';
import { actorFor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import { type Command, operandOf } from '../command.ts';
import { type Input, openInput } from '../input.ts';
import { withDeps } from '../open.ts';
import { createProgress } from '../progress.ts';
import { FORMAT_FLAG, formatOf, ownerOf } from './files.ts';

/** Invalid lines that are listed; the others are only counted. */
const MAX_LISTED = 100;

export const itemsImport: Command = {
  name: 'items import',
  operand: 'FILE',
  summary: 'Import items from JSON Lines or CSV.',
  help: `Creates an item from each line, as POST /api/v2/items/import does: one JSON object per line, or CSV
whose first row names columns: title, description, url, tags, data and visibility. Cells are
separated by commas, the tags in a cell by semicolons (;). FILE - is standard input. Valid lines are
stored in batches of a few hundred and invalid ones are listed; stored items stay if the command is
stopped. The exit status is 1 if any line was invalid. Works while a server is running.`,
  flags: {
    format: FORMAT_FLAG,
    owner: {
      value: 'account',
      help: 'Email or username of the account that gets the items.',
      isRequired: true,
    },
    'dry-run': { help: 'Write nothing, and report what would be imported.' },
  },
  settings: ['dataDir'],
  run: async (invocation) => {
    const isDryRun = invocation.switches.has('dry-run');
    const format = formatOf(invocation);
    const { owner: login = '' } = invocation.flags;
    const source = await openInput(operandOf(invocation));
    return withDeps(invocation, async (deps) => {
      const owner = await ownerOf(deps, login);
      return report(await importAll(deps, owner, source, { format, isDryRun }));
    });
  },
};

type Owner = Awaited<ReturnType<typeof ownerOf>>;
type Report = Awaited<ReturnType<Deps['itemImport']['run']>>;

async function importAll(
  { itemImport }: Deps,
  owner: Owner,
  { stream, totalBytes }: Input,
  options: { format: 'jsonl' | 'csv'; isDryRun: boolean },
): Promise<Report> {
  const progress = createProgress(process.stderr, totalBytes);
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of stream) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  const result = await itemImport.run(actorFor(owner), counted(), {
    ...options,
    read: createItemReader(),
    onProgress: ({ created }) => progress.show({ bytes, items: created }),
  });
  progress.end({ bytes, items: result.created });
  return result;
}

function report({ created, failed, dry_run, errors }: Report): number {
  for (const { line, message } of errors.slice(0, MAX_LISTED)) {
    console.error(`Line ${line}: ${message}`);
  }
  if (failed > MAX_LISTED) console.error(`… and ${failed - MAX_LISTED} more.`);
  console.log(`${dry_run ? 'Would import' : 'Imported'} ${created}, bad lines ${failed}.`);
  return failed > 0 ? 1 : 0;
}
