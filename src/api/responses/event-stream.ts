import { nextTurn } from '../../utils/async/event-loop.ts';

/** A reader with more unread bytes or frames than this is dropped. */
const MAX_QUEUED_BYTES = 262_144;
const MAX_QUEUED_FRAMES = 1000;
/** Maximum bytes handed to the connection at once, and queued before `hasRoom` waits. */
const MAX_CHUNK_BYTES = 65_536;

export interface EventStream {
  body: ReadableStream<Uint8Array>;
  /** Queues frames for the reader; drops a reader that is too slow. */
  push(frames: readonly Uint8Array[]): void;
  /** Resolves when less than one chunk is queued. */
  hasRoom(): Promise<void>;
  /** Ends the stream and drops queued frames. */
  end(): void;
  /** Resolves when either side has ended the stream. */
  ended: Promise<void>;
}

/**
 * Creates a body of frames that are passed on only as the connection accepts them. Bun stops pulling
 * from a stream whose reader does not read, so the queue is here, where it is bounded.
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
      // Lets other work run, even if a fast reader empties the queue immediately.
      await nextTurn();
    },
    isOverfull: () => bytes > MAX_QUEUED_BYTES || frames.length > MAX_QUEUED_FRAMES,
    /** Removes and returns the oldest frames, at least one. A single frame is not copied, since readers share it. */
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
