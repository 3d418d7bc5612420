import { createRowReader } from '../../api/request/row-reader.ts';
import { actorFor } from '../../core/actor.ts';
import type { Deps } from '../../core/deps.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { listed, namesOf } from '../../resources/declare/words.ts';
import { type Command, operandOf } from '../command.ts';
import { type Input, openInput } from '../input.ts';
import { withDeps } from '../open.ts';
import { createProgress } from '../progress.ts';
import { FORMAT_FLAG, formatOf, ownerOf, type Transfer, transferOf } from './files.ts';

/** Invalid lines that are listed; the others are only counted. */
const MAX_LISTED = 100;

/** Returns the command that imports rows of a resource. */
export function importCommand(definition: Definition): Command {
  const { name } = definition;
  const { many, anyOne } = namesOf(definition);
  return {
    name: `${name} import`,
    operand: 'FILE',
    summary: `Import ${many} from JSON Lines or CSV.`,
    help: `Creates ${anyOne} from each line, as POST /api/v2/${name}/import does: one JSON object per line, or CSV
whose first row names columns: ${columnsOf(definition)}. FILE - is
standard input. Valid lines are stored in batches of a few hundred and invalid ones are listed; stored
${many} stay if the command is stopped. The exit status is 1 if any line was invalid. Works while a
server is running.`,
    flags: {
      format: FORMAT_FLAG,
      owner: {
        value: 'account',
        help: `Email or username of the account that gets the ${many}.`,
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
        const options = { definition, format, isDryRun };
        return report(await importAll(deps, owner, source, options));
      });
    },
  };
}

/** Returns a text that names the columns of CSV and their separators. */
function columnsOf({ fields }: Definition): string {
  const columns = fields.map(({ name }) => name);
  const lists = fields.filter(({ kind }) => kind === 'texts').map(({ name }) => name);
  const inCells =
    lists.length > 0 ? `, the ${listed(lists, 'and')} in a cell by semicolons (;)` : '';
  return `${listed(columns, 'and')}. Cells are separated by commas${inCells}`;
}

type Owner = Awaited<ReturnType<typeof ownerOf>>;
type Report = Awaited<ReturnType<Transfer['import']>>['report'];

interface ImportAll {
  definition: Definition;
  format: 'jsonl' | 'csv';
  isDryRun: boolean;
}

async function importAll(
  deps: Deps,
  owner: Owner,
  { stream, totalBytes }: Input,
  { definition, ...options }: ImportAll,
): Promise<Report> {
  const progress = createProgress(process.stderr, totalBytes);
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of stream) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  const { import: run } = transferOf(deps, definition);
  const result = await run(actorFor(owner), counted(), {
    ...options,
    read: createRowReader(definition),
    onProgress: ({ created }) => progress.show({ bytes, items: created }),
  });
  progress.end({ bytes, items: result.report.created });
  return result.report;
}

function report({ created, failed, dry_run, errors }: Report): number {
  for (const { line, message } of errors.slice(0, MAX_LISTED)) {
    console.error(`Line ${line}: ${message}`);
  }
  if (failed > MAX_LISTED) console.error(`… and ${failed - MAX_LISTED} more.`);
  console.log(`${dry_run ? 'Would import' : 'Imported'} ${created}, bad lines ${failed}.`);
  return failed > 0 ? 1 : 0;
}
