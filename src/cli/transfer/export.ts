import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { StartupError } from '../../core/exceptions.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { reasonOf } from '../../utils/system-error.ts';
import { type Command, operandOf, UsageError } from '../command.ts';
import { isBrokenPipe } from '../failure.ts';
import { withDeps } from '../open.ts';
import { createProgress } from '../progress.ts';
import { FORMAT_FLAG, formatOf, ownerOf, type Transfer, transferOf } from './files.ts';

/** Returns the command that exports the rows of a resource. */
export function exportCommand(definition: Definition): Command {
  const { name } = definition;
  const many = name.replaceAll('_', ' ');
  const kept = definition.hasBin ? `, without ${many} in the bin` : '';
  const [own, others] = definition.hasVisibility
    ? [', private ones too', `all public ${many}`]
    : ['', `all ${many}`];
  return {
    name: `${name} export`,
    operand: 'FILE',
    summary: `Export ${many} as JSON Lines or CSV.`,
    help: `Writes what hutch ${name} import reads, ordered by id${kept}. FILE - is standard
output. With --owner it exports all ${many} of that account${own}; otherwise ${others}. A file is
written under a temporary name and renamed when it is complete. Works while a server is running.`,
    flags: {
      format: FORMAT_FLAG,
      owner: { value: 'account', help: `Email or username of the account that owns the ${many}.` },
    },
    settings: ['dataDir'],
    run: (invocation) =>
      withDeps(invocation, async (deps) => {
        const { owner } = invocation.flags;
        const ownerId = owner === undefined ? undefined : (await ownerOf(deps, owner)).id;
        const sink = await openSink(operandOf(invocation));
        const parts = transferOf(deps, definition).export({
          format: formatOf(invocation),
          ownerId,
          filters: [],
        });
        const count = await writeAll(parts, sink);
        if (!sink.isStandard) console.log(`Exported ${count}.`);
        return 0;
      }),
  };
}

/** The target of an export; `finish` moves a file into place, `abandon` deletes it. */
interface Sink {
  isStandard: boolean;
  write(text: string): Promise<unknown>;
  finish(): Promise<unknown>;
  abandon(): Promise<unknown>;
}

async function openSink(operand: string): Promise<Sink> {
  if (operand === '-') return standardOutput();
  // Resolves links: renaming onto a link would not replace the file it points to.
  const target = await realpath(operand).catch(() => operand);
  const found = await stat(target).catch(() => undefined);
  // Pipes and devices are written directly; renaming a file onto them would replace them.
  const path = found && !found.isFile() ? target : `${target}.part`;
  // The file may contain private rows.
  const file = await open(path, 'w', 0o600).catch((error) => {
    throw new UsageError(`${path} cannot be written: ${reasonOf(error)}.`);
  });
  return fileSink(file, path, target);
}

/** Writes to `path` and renames it to `target` when complete, if they differ. */
function fileSink(file: FileHandle, path: string, target: string): Sink {
  const isPart = path !== target;
  return {
    isStandard: false,
    write: (text) => file.writeFile(text),
    finish: async () => {
      if (isPart) await file.sync();
      await file.close();
      if (isPart) await rename(path, target);
    },
    abandon: async () => {
      await file.close().catch(() => {});
      if (isPart) await unlink(path).catch(() => {});
    },
  };
}

function standardOutput(): Sink {
  const writer = Bun.stdout.writer();
  return {
    isStandard: true,
    write: async (text) => {
      await writer.write(text);
      // Waits for a slow reader.
      await writer.flush();
    },
    finish: async () => writer.end(),
    abandon: async () => {},
  };
}

/** Returns the number of rows written. Throws StartupError if writing fails. */
async function writeAll(parts: ReturnType<Transfer['export']>, sink: Sink): Promise<number> {
  const progress = createProgress(process.stderr);
  const position = { bytes: 0, items: 0 };
  try {
    for await (const { text, count } of parts) {
      await orIncomplete(sink.write(text));
      position.bytes += Buffer.byteLength(text);
      position.items += count;
      progress.show(position);
    }
    await orIncomplete(sink.finish());
  } catch (error) {
    await sink.abandon();
    throw error;
  }
  progress.end(position);
  return position.items;
}

/** Throws StartupError for a full disk, and the error itself if the reader has closed the pipe. */
async function orIncomplete(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isBrokenPipe(error)) throw error;
    throw new StartupError(`The export is incomplete: ${reasonOf(error)}.`);
  }
}
