import { describe, expect, test } from 'bun:test';
import { createEventStream } from '../../../src/api/responses/event-stream.ts';
import { nextTurn } from '../../../src/utils/async/event-loop.ts';

const frame = (size: number) => new Uint8Array(size).fill(97);

function open() {
  let slow = 0;
  const stream = createEventStream({ onSlow: () => void slow++ });
  const ended = { is: false };
  void stream.ended.then(() => {
    ended.is = true;
  });
  return { stream, ended, dropped: () => slow, reader: stream.body.getReader() };
}

describe('a stream of events', () => {
  test('returns a single frame without copying it', async () => {
    const { stream, reader } = open();
    const shared = frame(100);
    stream.push([shared]);
    expect((await reader.read()).value).toBe(shared);
  });

  test('returns queued frames together and in order', async () => {
    const { stream, reader } = open();
    for (const text of ['a', 'b', 'c']) stream.push([new TextEncoder().encode(text)]);
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('abc');
  });

  test('passes frames to a waiting read', async () => {
    const { stream, reader } = open();
    const reading = reader.read();
    await nextTurn();
    stream.push([frame(3)]);
    expect((await reading).value).toHaveLength(3);
  });

  test.each([
    ['bytes', 1024, 256],
    ['frames', 3, 1000],
    // proves: costly-work.event-streams
  ])('drops a reader with too many unread %s, and not before', async (_, size, count) => {
    const { stream, ended, dropped, reader } = open();
    for (let n = 0; n < count; n++) stream.push([frame(size)]);
    await nextTurn();
    expect([ended.is, dropped()]).toEqual([false, 0]);
    stream.push([frame(size)]);
    stream.push([frame(size)]);
    await nextTurn();
    expect([ended.is, dropped()]).toEqual([true, 1]);
    expect((await reader.read()).done).toBe(true);
  });

  test('never drops a reader that reads', async () => {
    const { stream, ended, reader } = open();
    for (let n = 0; n < 2000; n++) {
      stream.push([frame(1024)]);
      await reader.read();
    }
    expect(ended.is).toBe(false);
  });

  test('has room while little is queued, and resolves when it has again', async () => {
    const { stream, reader } = open();
    await stream.hasRoom();
    for (let n = 0; n < 3; n++) stream.push([frame(60_000)]);
    let hasRoom = false;
    const waiting = stream.hasRoom().then(() => {
      hasRoom = true;
    });
    await nextTurn();
    expect(hasRoom).toBe(false);
    await reader.read();
    await reader.read();
    await waiting;
  });

  test('resolves all waits for room when it ends', async () => {
    const { stream, reader } = open();
    for (let n = 0; n < 3; n++) stream.push([frame(60_000)]);
    const waiting = stream.hasRoom();
    await reader.cancel();
    await waiting;
    await stream.ended;
  });
});
