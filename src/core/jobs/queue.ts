import type { JobRow } from '../../models/jobs.ts';
import type { Tx } from '../db/writer.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { nextAfter } from './cron.ts';
import type { Enqueue, EnqueueOptions, JobDefinition } from './definition.ts';
import { beyond, insertJob } from './rows.ts';

/** Longest payload, as JSON. */
const MAX_PAYLOAD_BYTES = 65_536;
const MAX_KEY_LENGTH = 200;
const NAME = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)?$/;
const MAX_NAME_LENGTH = 100;

export interface JobQueueDeps {
  box: Pick<SecretBox, 'sealer' | 'open'>;
  now(): Date;
}

export type JobQueue = ReturnType<typeof createJobQueue>;

/** The definitions of all jobs, and the way to queue them. createJobs runs them. */
export function createJobQueue({ box, now }: JobQueueDeps) {
  const definitions = new Map<string, JobDefinition>();
  let wake: (name: string) => void = () => {};

  const enqueue = async (
    tx: Tx,
    name: string,
    payload: unknown,
    { at, key }: EnqueueOptions = {},
  ): Promise<void> => {
    const text = payloadText(definitionOf(definitions, name), payload, box);
    requireShortKey(key);
    const created = now();
    await insertJob(tx, {
      name,
      key: key ?? null,
      payload: text,
      due_at: (at ?? created).toISOString(),
      created_at: created.toISOString(),
    });
    tx.afterCommit(() => wake(name));
  };
  return {
    definitions: definitions as ReadonlyMap<string, JobDefinition>,

    /**
     * Adds a job and returns the function that queues it. Throws RangeError for an invalid name or
     * cron expression, or a name that is taken.
     */
    define: <P>(definition: JobDefinition<P>): Enqueue<P> => {
      const { name, cron } = definition;
      if (!NAME.test(name) || name.length > MAX_NAME_LENGTH) {
        throw new RangeError(`"${name}" is not a valid name of a job`);
      }
      if (definitions.has(name)) throw new RangeError(`The job ${name} is defined twice`);
      if (cron !== undefined) nextAfter(cron, now());
      definitions.set(name, definition as JobDefinition);
      return (tx, payload, options) => enqueue(tx, name, payload, options);
    },

    /**
     * Queues a job in the caller's transaction; it runs after the commit. Throws RangeError for an
     * undefined job, a payload over 64 KiB or a key over 200 characters, and SecretError.
     */
    enqueue,

    /** True if a name has more than `max` jobs, dead letters included. */
    isBeyond: async (tx: Tx, name: string, max: number): Promise<boolean> =>
      (await beyond(tx, { name, max })).length > 0,

    /** Returns the payload of a job. Throws SecretError. */
    payloadOf: async ({ name, payload }: Pick<JobRow, 'name' | 'payload'>): Promise<unknown> =>
      JSON.parse(isSealed(payload) ? await box.open(payload, bindingOf(name)) : payload),

    /** Wakes the worker after the commit of a change to a waiting job. */
    wakeAfter: (tx: Tx, name: string): void => tx.afterCommit(() => wake(name)),

    /** Sets the function that is called after each commit that queued a job. */
    onEnqueued: (listener: (name: string) => void): void => {
      wake = listener;
    },
  };
}

/** JSON never starts with the mark of a sealed text. */
export function isSealed(payload: string): boolean {
  return payload.startsWith('v1.');
}

/** The payload as a dead letter stores it. */
export async function remainderOf(
  queue: Pick<JobQueue, 'payloadOf'>,
  definition: JobDefinition | undefined,
  row: Pick<JobRow, 'name' | 'payload'>,
): Promise<string> {
  const { remainder } = definition ?? {};
  if (!remainder) return row.payload;
  try {
    return JSON.stringify(remainder(await queue.payloadOf(row)));
  } catch {
    return 'null';
  }
}

function definitionOf(definitions: ReadonlyMap<string, JobDefinition>, name: string) {
  const definition = definitions.get(name);
  if (!definition) throw new RangeError(`The job ${name} is not defined`);
  return definition;
}

function payloadText(
  { name, isSecret }: JobDefinition,
  payload: unknown,
  box: Pick<SecretBox, 'sealer'>,
): string {
  const text = JSON.stringify(payload ?? null);
  if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`The payload of the job ${name} is over ${MAX_PAYLOAD_BYTES} bytes`);
  }
  return isSecret ? box.sealer()(text, bindingOf(name)) : text;
}

function requireShortKey(key: string | undefined): void {
  if (key === undefined || (key !== '' && key.length <= MAX_KEY_LENGTH)) return;
  throw new RangeError(`The key of a job must have 1 to ${MAX_KEY_LENGTH} characters`);
}

function bindingOf(name: string): string {
  return `job ${name}`;
}
