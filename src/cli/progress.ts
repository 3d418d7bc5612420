/** The progress of a transfer. */
export interface Position {
  bytes: number;
  items: number;
}

export interface Progress {
  /** Shows the progress, at a readable rate. */
  show(position: Position): void;
  /** Shows the final progress and ends the line. */
  end(position: Position): void;
}

type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;

const REDRAW_MS = 100;
const PLAIN_MS = 3000;
const BAR = 24;

/**
 * Shows progress on `output`: a bar on a terminal, otherwise a line every 3 seconds. Data must go to
 * another stream. Pass `totalBytes` if it is known.
 */
export function createProgress(output: Output, totalBytes?: number): Progress {
  const startedAt = performance.now();
  let shownAt = output.isTTY ? Number.NEGATIVE_INFINITY : startedAt;
  const draw = (position: Position) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const text = textOf(position, seconds, totalBytes);
    output.write(output.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
  };
  return {
    show: (position) => {
      const now = performance.now();
      if (now - shownAt < (output.isTTY ? REDRAW_MS : PLAIN_MS)) return;
      shownAt = now;
      draw(position);
    },
    end: (position) => {
      if (!output.isTTY) return;
      draw(position);
      output.write('\n');
    },
  };
}

function textOf({ bytes, items }: Position, seconds: number, totalBytes: number | undefined) {
  const rate = `${megabytes(bytes / Math.max(seconds, 0.001))}/s`;
  const text = `${megabytes(bytes)}, ${items} items, ${rate}`;
  return totalBytes ? `${bar(bytes / totalBytes)} ${text}` : text;
}

function bar(share: number): string {
  const part = Math.min(1, share);
  const full = Math.round(part * BAR);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${Math.floor(part * 100)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
