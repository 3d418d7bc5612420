import { isAbsolute, join, relative, sep } from 'node:path';
import { StartupError } from '../core/exceptions.ts';

/** A place in a file of the project. Lines and columns start at 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** The parts of Bun's BuildMessage and ResolveMessage that are read here. */
interface Message {
  message: string;
  position?: { file: string; line: number; column: number; lineText: string } | null;
}

const FRAME =
  /(?:\(|@|at )((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^\n()]*?|[\w-]+:[^\n():]+?):(\d+):(\d+)\)?/g;

/**
 * Describes an error in a file below `root`: a line that begins with its place, such as
 * `resources/notes.ts:3:10: …`, and the line of the file if it is known. Several errors take several
 * lines. Returns undefined if the error names no file below `root`.
 */
export function faultOf(error: unknown, root: string): string | undefined {
  if (error instanceof AggregateError) {
    const faults = error.errors.map((it) => faultOf(it, root) ?? String(it));
    return faults.length > 0 ? faults.join('\n') : undefined;
  }
  const message = messageOf(error);
  const { position } = (error ?? {}) as Message;
  if (position?.file) return `${placeText(position, root)}: ${message}${excerpt(position)}`;
  const place = placeOf(error, root);
  return place && `${placeText(place, root)}: ${message}`;
}

/** Returns the result of `work`. An error in a file below `root` becomes a StartupError with its place. */
export async function withPlace<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const fault = faultOf(error, root);
    throw fault === undefined ? error : new StartupError(fault, { cause: error });
  }
}

/** Returns the innermost place below `root` in the stack of an error; packages are not considered. */
function placeOf(error: unknown, root: string): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, path = '', line, column] of stack.matchAll(FRAME)) {
    const file = path.replace(/^file:\/\//, '');
    if (isOwn(file, root)) return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** Returns a path as messages show it: relative to `root` if it is below. */
function shownPath(file: string, root: string): string {
  return isOwn(file, root) ? relative(root, file) : file;
}

function isOwn(file: string, root: string): boolean {
  if (!isAbsolute(file)) return false;
  const path = relative(root, file);
  return path !== '' && !path.startsWith('..') && !path.split(sep).includes('node_modules');
}

function placeText({ file, line, column }: Place, root: string): string {
  const path = isAbsolute(file) ? file : join(root, file);
  return `${shownPath(path, root)}:${line}:${column}`;
}

function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as Message;
  return message || String(error);
}

/** Returns the line of a fault and a mark below its column. */
function excerpt({ lineText, column }: NonNullable<Message['position']>): string {
  if (!lineText) return '';
  const indent = lineText.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  return `\n    ${lineText}\n    ${indent}^`;
}
