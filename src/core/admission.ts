import type { Log } from './log.ts';

/** Decides, for each request that arrives, whether there is time for it. */
export interface Admission {
  /** Whether a request that has just arrived is to be refused. Costs about 40 ns. */
  isOverloaded(): boolean;
  /**
   * The response of `refuse`: at once or, while refusals take more than their share of the time,
   * as soon as they no longer do, in order.
   */
  refusal<T>(refuse: () => T): T | Promise<T>;
  /** Requests refused since the start. */
  refused(): number;
}

export interface AdmissionOptions {
  log: Pick<Log, 'warn'>;
  /** The queue of writes: those that wait, and all that were done since the start. */
  backlog(): { queued: number; writes: number };
  /** Milliseconds of a clock that never goes back. Default: performance.now. */
  clock?(): number;
  /** Calls `run` between two turns of the event loop, after some time. Default: setTimeout. */
  later?(run: () => void, ms: number): void;
}

/** A turn of the event loop that takes longer is a busy one. */
const BUSY_TURN_MS = 250;
/** A write that waits longer than this waits in a busy queue. */
const BUSY_BACKLOG_MS = 200;
/** How long turns may be busy: a burst is, and the first requests after the start are. */
const PATIENCE_MS = 1000;
/** No request takes longer: what does is a pause of the process, and no load. */
const MAX_STEP_MS = 25;
const WATCH_MS = 10;

/**
 * Admission control by delay, after CoDel (RFC 8289). No number of connections or requests is too
 * many, only a queue that does not drain. The one queue is the operating system's, of requests
 * that nobody has read yet: a turn of the event loop reads all of it, so the length of a turn is
 * the time that a request waits. The other is that of writes.
 *
 * Nothing is refused while turns are short or have been long for less than a second. After that
 * each turn admits requests for 250 ms and refuses the rest of its queue, until nothing had to be
 * refused for a second. So an admitted request waits for about one turn, and the process is never
 * idle while requests wait.
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
 * Measures turns of the event loop while requests come. Timers run between turns, so one of 10 ms
 * ends each; turns that are shorter count together. `onEnd` is told the length of a turn, and
 * returns whether there is a reason to go on measuring without requests.
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
    /** A request has arrived: returns the time since the last one of this turn. */
    look: (): number => {
      hasRequests = true;
      if (isWatched) return step();
      isWatched = true;
      lookedAt = clock();
      later(end, WATCH_MS);
      return 0;
    },
    /** How long this turn has taken so far. */
    ms: () => turnMs,
    /** The time of the last look. */
    now: () => lookedAt,
  };
}

/** The time that a write has to wait: the length of the queue by the speed at which it drains. */
function createBacklogDelay(backlog: AdmissionOptions['backlog']) {
  /** How much the newest measurement of the speed weighs. */
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
      // While nothing is written, as when another process holds the lock, the speed is unknown.
      if (done > 0) msPerWrite += WEIGHT * (sinceMs / done - msPerWrite);
      if (done > 0 || queued === 0) sinceMs = 0;
      waitMs = queued * msPerWrite;
    },
    isBusy: () => waitMs >= BUSY_BACKLOG_MS,
  };
}

/**
 * Keeps refusals to their share of the time. A refusal costs as much as the cheapest response, so
 * many of them would leave no time for what is admitted. Those beyond the share wait their turn:
 * a client that waits for a response on its connection sends nothing more on it. When a crowd
 * waits, the share is a smaller one: clients wait anyway, so the time goes to what is admitted.
 */
function createShare() {
  const SHARE = 0.2;
  const SHARE_OF_CROWD = 0.05;
  const CROWD = 1000;
  const MAX_SAVED_MS = 20;
  /** Of a turn that the loop did not fill, so much is free for them. */
  const FREE_MS = 0.5;
  const owed: (() => void)[] = [];
  let savedMs = 0;
  let costMs = 0.02;
  let hasRefused = false;
  return {
    /** Adds the share of a step; a step after a refusal is what the refusal cost. */
    earn: (stepMs: number) => {
      const share = owed.length < CROWD ? SHARE : SHARE_OF_CROWD;
      savedMs = Math.min(savedMs + share * stepMs, MAX_SAVED_MS);
      // The lower quartile: some steps hold other work too.
      if (hasRefused) costMs *= stepMs > costMs ? 1.02 : 0.94;
      hasRefused = false;
    },
    spend: <T>(refuse: () => T): T | Promise<T> => {
      hasRefused = true;
      savedMs -= costMs;
      if (owed.length === 0 && savedMs >= 0) return refuse();
      return new Promise<T>((resolve) => owed.push(() => resolve(refuse())));
    },
    /** Answers those that wait, as many as there is time for; each costs as much once more. */
    settle: (turnMs: number) => {
      if (turnMs < 2 * WATCH_MS) savedMs = Math.max(savedMs, FREE_MS);
      const count = Math.min(owed.length, Math.max(0, Math.floor(savedMs / costMs)));
      savedMs -= count * costMs;
      for (const refuse of owed.splice(0, count)) refuse();
    },
    isOwing: () => owed.length > 0,
  };
}

/** Counts refusals; logs the first, and then at most every 10 seconds how many there were. */
function createTally(log: Pick<Log, 'warn'>) {
  const LOG_MS = 10_000;
  let total = 0;
  let logged = 0;
  let logAt = Number.NEGATIVE_INFINITY;
  return {
    add: (now: number) => {
      total++;
      if (now < logAt) return;
      log.warn('Overloaded: requests are refused.', { refused: total - logged });
      logged = total;
      logAt = now + LOG_MS;
    },
    total: () => total,
  };
}
