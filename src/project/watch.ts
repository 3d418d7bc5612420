import { readdirSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

/** The time between two looks. Events of the file system do not reach network drives and containers. */
const EVERY_MS = 200;

export interface Watched {
  /** The directories whose files are watched, also in folders below; they need not exist. */
  dirs: readonly string[];
  /** Further files. The result may be another one after `onChange`. */
  files(): readonly string[];
}

/** The size and time of files, by their paths; empty for missing ones. */
type State = Map<string, string>;

/**
 * Calls `onChange` at once, after a watched file has been written, added or removed, and again for changes
 * during a call. Returns a function that ends the watch.
 */
export function watchFiles({ dirs, files }: Watched, onChange: () => Promise<void>): () => void {
  let isStopped = false;
  let own: State | undefined;
  let others: State = new Map();
  const look = async () => {
    const [ownNow, othersNow] = [stateOf(filesIn(dirs)), stateOf(files())];
    if (!Bun.deepEquals(ownNow, own) || !Bun.deepEquals(othersNow, others)) {
      const startedMs = Date.now();
      await onChange();
      own = ownNow;
      // Files that it has read for the first time are a change only if they were written meanwhile.
      const read = [...stateOf(files(), startedMs)];
      others = new Map(read.map(([path, state]) => [path, othersNow.get(path) ?? state]));
    }
    if (!isStopped) later();
  };
  const later = () => setTimeout(() => void look(), EVERY_MS);
  void look();
  return () => {
    isStopped = true;
  };
}

/** Returns the files in the directories that a project can consist of. */
function filesIn(dirs: readonly string[]): string[] {
  return dirs.flatMap((dir) => {
    try {
      const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
      return names.filter(isOwn).map((name) => join(resolve(dir), name));
    } catch {
      return [];
    }
  });
}

function isOwn(name: string): boolean {
  return /\.(ts|js|json|sql)$/.test(name) && !name.split(sep).includes('node_modules');
}

function stateOf(paths: readonly string[], untilMs = Number.POSITIVE_INFINITY): State {
  const entries = paths.map((path): [string, string] => {
    const found = statSync(path, { throwIfNoEntry: false });
    const isKnown = found && found.mtimeMs < untilMs;
    return [path, isKnown ? `${found.ino} ${found.size} ${found.mtimeMs}` : ''];
  });
  return new Map(entries);
}
