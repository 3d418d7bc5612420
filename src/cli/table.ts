import { oneLine } from '../utils/text/text.ts';

/** Formats rows as aligned columns. Cells that would break a line or a terminal are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(oneLine));
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return cells.map((row) => line(row).join('  ').trimEnd()).join('\n');
}
