import type { Problem } from '../../../core/exceptions.ts';
import type { LineFailure } from './lines.ts';

/** Failures that are listed; the others are only counted. */
const MAX_LISTED = 1000;

type Values = Readonly<Record<string, unknown>>;

/** The result of an import, final or so far. */
export interface ImportReport {
  created: number;
  failed: number;
  dry_run: boolean;
  errors: LineFailure[];
}

/** Returns the values of a line, or its problems as one failure. */
export function validated(
  line: number,
  read: Values | Problem[],
): { values: Values } | { failure: LineFailure } {
  if (!Array.isArray(read)) return { values: read as Values };
  const message = read.map(({ loc, msg }) =>
    [...(loc.length > 0 ? [loc.join('.')] : []), msg].join(': '),
  );
  const code = read[0]?.type ?? 'value_error';
  return { failure: { line, code, message: message.join('; ') } };
}

export function addFailure(report: ImportReport, { line, code, message }: LineFailure): void {
  report.failed++;
  if (report.errors.length < MAX_LISTED) {
    report.errors.push({ line, code, message: message.slice(0, 500) });
  }
}
