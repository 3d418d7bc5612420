import { expect, test } from 'bun:test';
import { createLog, createLogWriter, type LogLevel } from '../../src/core/log.ts';

function lines(level: LogLevel, format: 'json' | 'text') {
  const written: string[] = [];
  const now = () => new Date('2026-11-22T16:00:00.000Z');
  const log = createLog({ level, format, now, write: (line) => void written.push(line) });
  return { log, written };
}

test('writes nothing below its level', () => {
  const { log, written } = lines('warn', 'json');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(written.map((line) => JSON.parse(line).message)).toEqual(['c', 'd']);
});

// proves: logs.lines-of-the-process-json-or-text-on
// proves: logs.times-are-utc-with-milliseconds-operator-synchronize-the, 16.2.2, 16.2.4
test('writes one JSON object per line, errors with stack and cause', () => {
  const { log, written } = lines('info', 'json');
  log.error('it broke', { error: new Error('outer', { cause: new Error('inner') }), n: 1 });
  expect(written).toHaveLength(1);
  const line = JSON.parse(written[0] ?? '');
  expect(line).toMatchObject({ time: '2026-11-22T16:00:00.000Z', level: 'error', n: 1 });
  expect(line.error).toContain('outer');
  expect(line.error).toContain('inner');
});

test.each(['json', 'text'] as const)(
  // proves: 16.4.1
  'no word of a %s line ends it or moves the cursor',
  (format) => {
    const { log, written } = lines('info', format);
    const word = '\n\r\u001b[2J\u0085\u009b2J\u007f\u2028\u2029';
    log.info(`hello ${word}`, { word });
    expect(written.join('').replace(/\n$/, '')).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    if (format === 'json') expect(JSON.parse(String(written[0])).word).toBe(word);
  },
);

// proves: 1.3.10, 16.4.1
test('writes an event as one line of text', () => {
  const { log, written } = lines('info', 'text');
  log.info('hello', { path: '/a\nforged line' });
  expect(written).toEqual(['2026-11-22T16:00:00.000Z info  hello path="/a\\nforged line"\n']);
});

// proves: costly-work.the-log-of-the-process
test('writes a repeated error ten times, then counts it', async () => {
  const written: string[] = [];
  const now = () => new Date();
  const write = (line: string) => void written.push(line);
  const log = createLog({ level: 'info', format: 'json', now, write, floodMs: 20 });
  for (let count = 0; count < 1_000; count++) {
    log.error('Internal server error', { error: new Error('disk is full'), count });
  }
  log.error('Internal server error', { error: new Error('another') });
  log.warn('Refused.');
  expect(written).toHaveLength(12);
  while (written.length === 12) await Bun.sleep(5);
  expect(JSON.parse(written[12] ?? '')).toMatchObject({
    ...{ level: 'error', of: 'Internal server error', lines: 990 },
  });
  log.error('Internal server error', { error: new Error('disk is full') });
  expect(written).toHaveLength(14);
});

/** Creates a stream that accepts lines only when `take` is called. */
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
test('limits unread lines, and reports the number of lost ones once lines are read again', () => {
  const { waiting, lost, take, write } = hangingStream();
  for (let count = 0; count < 5_000; count++) write(LINE);
  expect(waiting).toHaveLength(1_048);
  expect(lost).toEqual([]);
  take();
  expect(lost).toEqual([5_000 - 1_048]);
  write(LINE);
  expect(waiting).toHaveLength(1);
});

test('counts lines that cannot be written as lost', () => {
  const { lost, take, write } = hangingStream();
  for (let count = 0; count < 3; count++) write(LINE);
  take(new Error('ENOSPC'));
  expect(lost).toEqual([]);
  write(LINE);
  take();
  expect(lost).toEqual([3]);
});

test('flush waits for the lines, but not forever', async () => {
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
