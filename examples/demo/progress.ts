const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar on a terminal; elsewhere a line for each tenth. */
export function createProgress(label: string, total: number) {
  const startedAt = performance.now();
  const { isTTY } = process.stdout;
  let done = 0;
  let drawnAt = 0;
  const elapsed = () => (performance.now() - startedAt) / 1000;
  const draw = () => {
    drawnAt = performance.now();
    const filled = Math.floor((done / total) * WIDTH);
    const bar = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] `;
    const left = Math.ceil(((total - done) * elapsed()) / Math.max(done, 1));
    const text = `${label}: ${isTTY ? bar : ''}${count(done)} of ${count(total)}, ${rate(done, elapsed())}, ${left} s left`;
    process.stdout.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  };
  return {
    /** One more is done. */
    step(): void {
      done++;
      const due = isTTY
        ? performance.now() - drawnAt > REDRAW_MS
        : Math.floor((done * 10) / total) > Math.floor(((done - 1) * 10) / total);
      if (due) draw();
    },
    /** Clears the bar and returns the elapsed seconds. */
    end(): number {
      if (isTTY) process.stdout.write('\r\x1b[K');
      return elapsed();
    },
  };
}

/** Formats a count, such as `171,075`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Formats a rate, such as `5,480/s`. */
export function rate(done: number, seconds: number): string {
  return `${count(Math.round(done / seconds))}/s`;
}
