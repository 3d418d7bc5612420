import { nextTurn } from '../../utils/async/event-loop.ts';

/** A reader that leaves more than this unread is dropped. */
const MAX_QUEUED_BYTES = 262_144;
const MAX_QUEUED_FRAMES = 1000;
/** Handed to the connection at once; also what may wait while more is still being read for it. */
const MAX_CHUNK_BYTES = 65_536;

export interface EventStream {
  body: ReadableStream<Uint8Array>;
  /** Sends frames when the reader has read what came before; drops a reader that is too slow. */
  push(frames: readonly Uint8Array[]): void;
  /** Resolves when little waits to be read. */
  hasRoom(): Promise<void>;
  /** Ends it; what still waits is not sent. */
  end(): void;
  /** Resolves when it has ended, by either side. */
  ended: Promise<void>;
}

/**
 * A body of frames that are handed on only as the connection takes them: Bun pulls no more from a
 * stream whose reader does not read, so what waits is here, where it is counted.
 */
export function createEventStream({ onSlow }: { onSlow(): void }): EventStream {
  const queue = createFrameQueue();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isPulled = false;
  let isEnded = false;
  const ended = Promise.withResolvers<void>();

  const settle = () => {
    isEnded = true;
    queue.clear();
    ended.resolve();
  };
  const flush = () => {
    if (!isPulled || queue.isEmpty()) return;
    isPulled = false;
    controller.enqueue(queue.take());
  };
  const end = () => {
    if (isEnded) return;
    settle();
    controller.close();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (it) => {
        controller = it;
      },
      pull: () => {
        isPulled = true;
        flush();
      },
      cancel: settle,
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    push: (frames) => {
      if (isEnded) return;
      for (const frame of frames) queue.add(frame);
      flush();
      if (!queue.isOverfull()) return;
      end();
      onSlow();
    },
    hasRoom: queue.hasRoom,
    end,
    ended: ended.promise,
  };
}

function createFrameQueue() {
  let frames: Uint8Array[] = [];
  let bytes = 0;
  const waiting: (() => void)[] = [];
  const shrink = (left: number) => {
    bytes = left;
    if (bytes < MAX_CHUNK_BYTES) for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    add: (frame: Uint8Array) => {
      frames.push(frame);
      bytes += frame.byteLength;
    },
    isEmpty: () => frames.length === 0,
    hasRoom: async () => {
      if (bytes < MAX_CHUNK_BYTES) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
      // A fast reader makes room at once: others get their turn in between all the same.
      await nextTurn();
    },
    isOverfull: () => bytes > MAX_QUEUED_BYTES || frames.length > MAX_QUEUED_FRAMES,
    /** The oldest frames, at least one. One alone is not copied: it is everybody's. */
    take: (): Uint8Array => {
      let count = 0;
      let size = 0;
      for (const { byteLength } of frames) {
        if (count > 0 && size + byteLength > MAX_CHUNK_BYTES) break;
        size += byteLength;
        count++;
      }
      const taken = frames.splice(0, count);
      shrink(bytes - size);
      return taken.length === 1 ? (taken[0] as Uint8Array) : Buffer.concat(taken);
    },
    clear: () => {
      frames = [];
      shrink(0);
    },
  };
}
