import type { AnyActor } from '../../core/actor.ts';

/** Values of fields by name, as clients send and receive them. */
export type Values = Readonly<Record<string, unknown>>;

/** Options of a change. */
export interface ChangeRowOptions {
  /** The versions that the caller knows; any other one is refused. */
  ifMatch?: readonly number[] | undefined;
}

/**
 * The service of a resource, for code of users. It checks access as a request of the actor would
 * be checked, and throws the same errors: not_found, forbidden, validation_failed and others.
 */
export interface ResourceService<Row = Values, New = Values> {
  get(actor: AnyActor, id: number): Promise<Row>;
  create(actor: AnyActor, values: New): Promise<Row>;
  /** Changes the given fields; a JSON object is a merge patch. */
  update(
    actor: AnyActor,
    id: number,
    changes: Partial<New>,
    options?: ChangeRowOptions,
  ): Promise<Row>;
  /** Moves the row to the bin or, without a bin, erases it. */
  delete(actor: AnyActor, id: number, options?: ChangeRowOptions): Promise<void>;
  /** Restores a row from the bin. */
  restore(actor: AnyActor, id: number): Promise<Row>;
}

/** A service bound to an actor and, in a hook, to its transaction. Its calls run one after another. */
export interface BoundService<Row = Values, New = Values> {
  get(id: number): Promise<Row>;
  create(values: New): Promise<Row>;
  update(id: number, changes: Partial<New>, options?: ChangeRowOptions): Promise<Row>;
  delete(id: number, options?: ChangeRowOptions): Promise<void>;
  restore(id: number): Promise<Row>;
}
