import type { Actor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import type { OnWritten } from '../../../services/idempotency.ts';
import type { Exchange } from '../../../services/resources/transfer/exchange.ts';
import type { respondCachedText } from '../../responses/json.ts';
import type { ListedRow } from './document.ts';
import type { Condition } from './filters.ts';
import type { SortKey } from './list-query.ts';

/** Values of fields by name, as clients send them. */
export type Values = Readonly<Record<string, unknown>>;

interface ChangeOptions {
  /** The versions that the caller knows; any other one is refused. */
  ifMatch?: readonly number[] | undefined;
}

export interface Page {
  next_cursor: string | null;
  has_more: boolean;
  limit: number;
}

export interface ListQuery {
  filters: readonly Condition<string>[];
  q?: string | undefined;
  sort?: readonly SortKey[] | undefined;
  bin?: 'only' | undefined;
  limit: number;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
  /** The account or network whose share of the event loop a long list uses. */
  share?: string | undefined;
  /** The columns to read in addition to the id. */
  columns: readonly string[];
}

/** One change of a batch. */
export type BatchOperation =
  | { op: 'create'; values: Values }
  | { op: 'update'; id: number; values: Values; if_match?: number }
  | { op: 'delete'; id: number; if_match?: number };

export interface BatchResult {
  op: BatchOperation['op'];
  id: number;
  version: number;
}

/** A change of a row. The values are stored ones: JSON texts, and flags as 0 or 1. */
export interface Revision {
  version: number;
  action: string;
  actor_id: number;
  at: string;
  changes: Record<string, { from: unknown; to: unknown }>;
}

/** A change as sent to listeners, and the row; undefined once it is erased. */
export interface ChangeEvent {
  event: { id: number; type: string; row_id: number; version: number; at: string };
  row: Row | undefined;
}

/** A message to a listener. `event` is the same object for all listeners. */
export type Message =
  | { type: 'change'; event: ChangeEvent; includesRow: boolean }
  | { type: 'popular'; event: object }
  | { type: 'reset' };

/** The receiver of messages. `position` is the id of the last event that was sent. */
export interface Listener {
  send(messages: Message[], position: number): void;
  hasRoom(): Promise<void>;
  end(): void;
}

type CachedRows = Parameters<typeof respondCachedText<ListedRow[], unknown>>[0];

/**
 * The services of one resource, as its routes use them. A service of an option that the declaration
 * does not set is never called.
 */
export interface ResourceServices {
  /** For the routes that a declaration adds. */
  user: object;
  rows: {
    create(actor: Actor, values: Values, onWritten?: OnWritten<Row>): Promise<Row>;
    get(actor: Actor, id: number): Promise<Row>;
    getVersion(actor: Actor, id: number): Promise<number>;
    update(actor: Actor, id: number, values: Values, options: ChangeOptions): Promise<Row>;
    remove(actor: Actor, id: number, options: ChangeOptions): Promise<unknown>;
    restore(actor: Actor, id: number, onWritten?: OnWritten<Row>): Promise<Row>;
    erase(actor: Actor, id: number): Promise<void>;
  };
  list: {
    list(
      actor: Actor,
      query: ListQuery,
    ): Promise<{ data: ListedRow[]; page: Page; total?: number; total_is_capped?: boolean }>;
    usernameOf(id: number): Promise<string | undefined>;
  };
  revisions: {
    list(
      actor: Actor,
      id: number,
      query: { limit?: number; cursor?: string | undefined },
    ): Promise<{ data: Revision[]; page: Page }>;
    revert(
      actor: Actor,
      id: number,
      version: number,
      options: ChangeOptions,
      onWritten?: OnWritten<Row>,
    ): Promise<Row>;
  };
  batch: {
    run(
      actor: Actor,
      operations: readonly BatchOperation[],
      onWritten?: OnWritten<BatchResult[]>,
    ): Promise<BatchResult[]>;
  };
  events: {
    listen(
      subscription: { actor: Actor; address: string | null; lastId: string | undefined },
      listener: Listener,
    ): () => void;
  };
  views: {
    count(actor: Actor, id: number): Promise<{ views: number; counted: boolean }>;
    stats(actor: Actor, id: number, window: string): Promise<object>;
    popular(window: string, limit: number): Promise<CachedRows>;
  };
  transfer: {
    import: Exchange['import'];
    export(options: {
      format: 'jsonl' | 'csv';
      ownerId: number | undefined;
      filters: readonly Condition<string>[];
    }): AsyncGenerator<{ text: string; count: number }>;
  };
}

/** Returns the services of a resource. Throws if it has none. */
export function servicesOf(deps: Deps, { name }: Definition): ResourceServices {
  const engine = deps.resources[name];
  const exchange = deps.exchange[name];
  if (!engine || !exchange) throw new Error(`There are no services of ${name}.`);
  const { list, ...transfer } = exchange;
  const { service: user, rows, batch, revisions, events, views } = engine;
  const all = { user, rows, batch, revisions, events, views, list, transfer };
  return all as unknown as ResourceServices;
}
