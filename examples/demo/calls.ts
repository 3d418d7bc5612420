/** The part of a typed result that the demo uses. */
interface Answer<T> {
  data: T;
  error: { status: unknown; value: unknown } | null;
  response: Response | null;
}

export interface Timings {
  /** One for each call that succeeded; waiting to repeat it is not in it. */
  latenciesMs: number[];
  retries: number;
}

const MAX_TRIES = 20;
/** Statuses that ask for a repeat: too many requests, and no room for it just now. */
const BUSY = [429, 503];

/** The error of a call; without a status there was no response. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export const newTimings = (): Timings => ({ latenciesMs: [], retries: 0 });

/** The data of a call, which is repeated when the server is busy. Throws AnswerError. */
export async function dataOf<T>(call: () => Promise<Answer<T>>, timings = newTimings()) {
  for (let tries = 1; ; tries++) {
    const startedAt = performance.now();
    const { data, error, response } = await call();
    if (!error) {
      timings.latenciesMs.push(performance.now() - startedAt);
      return data as NonNullable<T>;
    }
    if (!response) throw new AnswerError(`The server does not answer: ${error.value}`);
    const { status } = response;
    if (!BUSY.includes(status) || tries === MAX_TRIES) {
      throw new AnswerError(`The server answers ${status}: ${JSON.stringify(error.value)}`, status);
    }
    timings.retries++;
    await Bun.sleep(Number(response.headers.get('retry-after') ?? 1) * 1000);
  }
}

/**
 * Calls `work` with 0, 1, … below `count`, `inFlight` at a time, until `signal` or the first
 * false. What is under way then is waited for, unless one throws.
 */
export async function each(
  count: number,
  { inFlight, signal }: { inFlight: number; signal?: AbortSignal },
  work: (index: number) => Promise<boolean>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count && !signal?.aborted) if (!(await work(next++))) next = count;
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, worker));
  } finally {
    // One that failed ends the others too.
    next = count;
  }
}
