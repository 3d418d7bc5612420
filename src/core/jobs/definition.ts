import type { Tx } from '../db/writer.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Everything that a run of a job receives besides its payload. */
export interface Attempt {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted when the time is up or the server stops. */
  readonly signal: AbortSignal;
  now(): Date;
}

/** A job: work that is queued in a transaction and done after its commit, at least once. */
export interface JobDefinition<P = unknown> {
  /** Unique. The jobs of a resource are named `<resource>.<job>`. */
  readonly name: string;
  /**
   * Does the work. May run again although it succeeded, if the process ends before that is stored.
   * If it throws, it is retried; JobError decides whether and when.
   */
  run(payload: P, attempt: Attempt): Promise<void>;
  /** Queues a job with the payload null at these times: a cron expression of 5 fields, in UTC. */
  readonly cron?: string | undefined;
  /** A job that has failed this often becomes a dead letter. Default 10. */
  readonly maxAttempts?: number | undefined;
  /** The wait before the next attempt. Default: at most 15 s after the first failure, doubling up to 1 h. */
  backoffMs?(failures: number, random: () => number): number;
  /** The most jobs of this name that run at once, in all processes. Default 5. */
  readonly concurrency?: number | undefined;
  /** Longest run. Default: a minute. */
  readonly timeoutMs?: number | undefined;
  /** True if payloads contain a secret: they are stored sealed and never shown. */
  readonly isSecret?: boolean | undefined;
  /**
   * The part of the payload that a dead letter stores, without secrets. Such a dead letter cannot be
   * retried. Default: the whole payload.
   */
  remainder?(payload: P): Json;
}

export interface EnqueueOptions {
  /** The earliest start. Default: now. */
  at?: Date | undefined;
  /** While a job of this name with this key waits, no second one is queued. */
  key?: string | undefined;
}

/** Queues a job in the caller's transaction. It runs after the commit. */
export type Enqueue<P> = (tx: Tx, payload: P, options?: EnqueueOptions) => Promise<void>;

export interface JobErrorOptions extends ErrorOptions {
  /** True if no retry can succeed: the job becomes a dead letter at once. */
  isFinal?: boolean;
  /** The shortest wait before the next attempt. */
  retryAfterMs?: number;
}

/** The failure of a run that says whether and when to retry. Its message is stored and shown to admins. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly isFinal: boolean;
  readonly retryAfterMs: number;

  constructor(
    message: string,
    { isFinal = false, retryAfterMs = 0, ...options }: JobErrorOptions = {},
  ) {
    super(message, options);
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}
