import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { BoundService, Values } from './service.ts';

/** The context of every hook. */
export interface HookContext {
  readonly actor: AnyActor;
  readonly now: Date;
  /** The services of all resources by their names, for this actor. */
  readonly resources: Readonly<Record<string, BoundService>>;
  /** Adds a job; in a `before` hook it runs only if the transaction commits. */
  readonly jobs: {
    enqueue(name: string, payload: unknown, options?: { at?: Date; key?: string }): Promise<void>;
  };
}

/**
 * Hooks inside the transaction of a change, before the row is written. They may change the given
 * values, use `resources`, and throw to refuse the change. They may run twice, and must not wait
 * for anything but `resources` and `jobs`.
 */
export interface BeforeHooks<Row = Values, New = Values> {
  create?(context: BeforeContext & { row: New }): Promise<void> | void;
  /** Restoring a row from the bin is an update without changes. */
  update?(
    context: BeforeContext & { readonly row: Row; changes: Partial<New> },
  ): Promise<void> | void;
  /** Before the row is moved to the bin or, without a bin, erased. */
  delete?(context: BeforeContext & { readonly row: Row }): Promise<void> | void;
}

export interface BeforeContext extends HookContext {
  readonly tx: Tx;
}

/** Hooks after the commit of a change. Their errors are logged: the change stays. */
export interface AfterHooks<Row = Values> {
  create?(context: HookContext & { readonly row: Row }): Promise<void> | void;
  update?(context: HookContext & { readonly row: Row; readonly old: Row }): Promise<void> | void;
  delete?(context: HookContext & { readonly row: Row }): Promise<void> | void;
}
