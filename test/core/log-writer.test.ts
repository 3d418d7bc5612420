import { expect, test } from 'bun:test';
import { createLogWriter } from '../../src/core/log-writer.ts';

/** A stream that takes what is written only when it is told to. */
function hangingStream() {
  const waiting: { text: string; done: (error?: Error | null) => void }[] = [];
  const lost: number[] = [];
  const stream = {
    write: (text: string, done: (error?: Error | null) => void) => waiting.push({ text, done }),
    on: () => {},
  };
  const writer = createLogWriter({ stream, onLost: (lines) => lost.push(lines) });
  const take = (error?: Error) => {
    for (const { done } of waiting.splice(0)) done(error);
  };
  return { waiting, lost, take, ...writer };
}

const LINE = `${'x'.repeat(999)}\n`;

// proves: costly-work.the-log-of-the-process
test('what nobody reads is bounded, and what is lost is told once somebody reads again', () => {
  const { waiting, lost, take, write } = hangingStream();
  for (let count = 0; count < 5_000; count++) write(LINE);
  expect(waiting).toHaveLength(1_048);
  expect(lost).toEqual([]);
  take();
  expect(lost).toEqual([5_000 - 1_048]);
  write(LINE);
  expect(waiting).toHaveLength(1);
});

test('lines that cannot be written are counted too', () => {
  const { lost, take, write } = hangingStream();
  for (let count = 0; count < 3; count++) write(LINE);
  take(new Error('ENOSPC'));
  expect(lost).toEqual([]);
  write(LINE);
  take();
  expect(lost).toEqual([3]);
});

test('a flush waits for the lines, and not for ever', async () => {
  const { take, write, flush } = hangingStream();
  write(LINE);
  await flush(20);
  let isFlushed = false;
  const flushed = flush(60_000).then(() => {
    isFlushed = true;
  });
  await Bun.sleep(30);
  expect(isFlushed).toBe(false);
  take();
  await flushed;
  expect(isFlushed).toBe(true);
});
