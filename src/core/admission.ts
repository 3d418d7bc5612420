import type { Log } from './log.ts';

/** Decides for each arriving request whether the server has time for it. */
export interface Admission {
  /** Returns true if a request that has just arrived must be rejected. Costs about 40 ns. */
  isOverloaded(): boolean;
  /**
   * The response of `refuse`: immediately or, while rejections exceed their share of the time,
   * later and in order.
   */
  refusal<T>(refuse: () => T): T | Promise<T>;
  /** The number of requests rejected since the start. */
  refused(): number;
}

export interface AdmissionOptions {
  log: Pick<Log, 'warn'>;
  /** The queue of writes: the number queued, and the number finished since the start. */
  backlog(): { queued: number; writes: number };
  /** Milliseconds of a monotonic clock. Default: performance.now. */
  clock?(): number;
  /** Calls `run` between two turns of the event loop, after `ms`. Default: setTimeout. */
  later?(run: () => void, ms: number): void;
}

/** A turn of the event loop that takes longer is busy. */
const BUSY_TURN_MS = 250;
/** A queue in which writes wait longer is busy. */
const BUSY_BACKLOG_MS = 200;
/** The time that turns may be busy: bursts and the first requests after the start are. */
const PATIENCE_MS = 1000;
/** No request takes longer: a longer step is a pause of the process, not load. */
const MAX_STEP_MS = 25;
const WATCH_MS = 10;

/**
 * Admission control by delay, after CoDel (RFC 8289). It limits queues that do not drain, not the
 * number of connections or requests. One queue is the operating system's, of unread requests: a
 * turn of the event loop reads all of it, so the length of a turn is the time that a request waits.
 * The other is the queue of writes.
 *
 * Nothing is rejected while turns are short or have been long for less than a second. Then each
 * turn admits requests for 250 ms and rejects the rest of its queue, until nothing was rejected for
 * a second. An admitted request therefore waits for about one turn, and the process is never idle
 * while requests wait.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { log, clock = () => performance.now(), later = defer } = options;
  const backlog = createBacklogDelay(options.backlog);
  const share = createShare();
  const tally = createTally(log);
  let busyMs = 0;
  let shedUntil = 0;
  const turn = createTurn(clock, later, (turnMs) => {
    backlog.look(turnMs);
    busyMs = turnMs >= BUSY_TURN_MS || backlog.isBusy() ? busyMs + turnMs : 0;
    share.settle(turnMs);
    return share.isOwing();
  });
  return {
    isOverloaded: () => {
      share.earn(turn.look());
      if (busyMs + turn.ms() < PATIENCE_MS && turn.now() > shedUntil) return false;
      return turn.ms() >= BUSY_TURN_MS || backlog.isBusy();
    },
    refusal: (refuse) => {
      shedUntil = turn.now() + PATIENCE_MS;
      tally.add(turn.now());
      return share.spend(refuse);
    },
    refused: tally.total,
  };
}

function defer(run: () => void, ms: number): void {
  setTimeout(run, ms).unref();
}

/**
 * Measures turns of the event loop while requests arrive. Timers run between turns, so a timer of
 * 10 ms ends each; shorter turns are measured together. `onEnd` receives the length of a turn and
 * returns true to continue measuring without requests.
 */
function createTurn(
  clock: () => number,
  later: (run: () => void, ms: number) => void,
  onEnd: (turnMs: number) => boolean,
) {
  let lookedAt = 0;
  let turnMs = 0;
  let isWatched = false;
  let hasRequests = false;
  const step = (): number => {
    const now = clock();
    const ms = Math.min(now - lookedAt, MAX_STEP_MS);
    lookedAt = now;
    turnMs += ms;
    return ms;
  };
  const end = () => {
    step();
    isWatched = onEnd(turnMs) || hasRequests;
    turnMs = 0;
    hasRequests = false;
    if (isWatched) later(end, WATCH_MS);
  };
  return {
    /** Called when a request arrives: returns the time since the previous one of this turn. */
    look: (): number => {
      hasRequests = true;
      if (isWatched) return step();
      isWatched = true;
      lookedAt = clock();
      later(end, WATCH_MS);
      return 0;
    },
    /** The length of this turn so far. */
    ms: () => turnMs,
    /** The time of the last look. */
    now: () => lookedAt,
  };
}

/** The time that a write waits: the length of the queue times the time per write. */
function createBacklogDelay(backlog: AdmissionOptions['backlog']) {
  /** The weight of the newest measurement. */
  const WEIGHT = 0.2;
  let msPerWrite = 0;
  let waitMs = 0;
  let sinceMs = 0;
  let before = 0;
  return {
    look: (turnMs: number) => {
      const { queued, writes } = backlog();
      const done = writes - before;
      before = writes;
      sinceMs += turnMs;
      // While nothing is written, for example because another process holds the lock, it is unknown.
      if (done > 0) msPerWrite += WEIGHT * (sinceMs / done - msPerWrite);
      if (done > 0 || queued === 0) sinceMs = 0;
      waitMs = queued * msPerWrite;
    },
    isBusy: () => waitMs >= BUSY_BACKLOG_MS,
  };
}

/**
 * Limits rejections to a share of the time. A rejection costs as much as the cheapest response, so
 * many of them would leave no time for admitted requests. Those beyond the share are delayed: a
 * client that waits for a response sends nothing more on its connection. If very many wait, the
 * share is smaller: they wait anyway, so admitted requests get the time.
 */
function createShare() {
  const SHARE = 0.2;
  const SHARE_OF_CROWD = 0.05;
  const CROWD = 1000;
  const MAX_SAVED_MS = 20;
  /** The time for rejections in a turn that is not full. */
  const FREE_MS = 0.5;
  const owed: (() => void)[] = [];
  let savedMs = 0;
  let costMs = 0.02;
  let hasRefused = false;
  return {
    /** Adds the share of a step. A step after a rejection measures the cost of that rejection. */
    earn: (stepMs: number) => {
      const share = owed.length < CROWD ? SHARE : SHARE_OF_CROWD;
      savedMs = Math.min(savedMs + share * stepMs, MAX_SAVED_MS);
      // Tracks the lower quartile: some steps include other work.
      if (hasRefused) costMs *= stepMs > costMs ? 1.02 : 0.94;
      hasRefused = false;
    },
    spend: <T>(refuse: () => T): T | Promise<T> => {
      hasRefused = true;
      savedMs -= costMs;
      if (owed.length === 0 && savedMs >= 0) return refuse();
      return new Promise<T>((resolve) => owed.push(() => resolve(refuse())));
    },
    /** Sends as many delayed rejections as there is time for. */
    settle: (turnMs: number) => {
      if (turnMs < 2 * WATCH_MS) savedMs = Math.max(savedMs, FREE_MS);
      const count = Math.min(owed.length, Math.max(0, Math.floor(savedMs / costMs)));
      savedMs -= count * costMs;
      for (const refuse of owed.splice(0, count)) refuse();
    },
    isOwing: () => owed.length > 0,
  };
}

/** Counts rejections. Logs the first, then the number at most every 10 seconds. */
function createTally(log: Pick<Log, 'warn'>) {
  const LOG_MS = 10_000;
  let total = 0;
  let logged = 0;
  let logAt = Number.NEGATIVE_INFINITY;
  return {
    add: (now: number) => {
      total++;
      if (now < logAt) return;
      log.warn('Overloaded: requests are rejected.', { refused: total - logged });
      logged = total;
      logAt = now + LOG_MS;
    },
    total: () => total,
  };
}
