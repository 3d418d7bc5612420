import type { Tx } from '../../../core/db/writer.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import { isBinned } from '../access.ts';
import type { RowChange, RowEffect } from '../effects.ts';
import { visibilityOf } from '../statements.ts';
import type { RowEvent } from './store.ts';

/** Receives the events of changes, in their transactions. */
export type OnEvent = (tx: Tx, event: Omit<RowEvent, 'id'>) => Promise<unknown> | undefined;

/** Returns an effect that passes the events of each change to all `receivers`. */
export function createEventRecord(
  def: Definition,
  { now, receivers }: { now(): Date; receivers: readonly OnEvent[] },
): RowEffect {
  const audienceOf = createAudiences(def);
  return async (tx: Tx, { old, row, isOwnerGone }: RowChange) => {
    if (isOwnerGone && audienceOf(old) === 'owner') return;
    const latest = row ?? (old as Row);
    const { id: row_id, owner_id, version } = latest;
    const at = row ? row.updated_at : now().toISOString();
    for (const [audience, type] of eventsOf(audienceOf(old), audienceOf(row))) {
      const event = { type, row_id, owner_id, audience, version, at };
      for (const receive of receivers) await receive(tx, event);
    }
  };
}

type Audience = RowEvent['audience'];

/** The audience of a row: undefined for none, in the bin or before it exists. */
function createAudiences(def: Definition): (row: Row | undefined) => Audience | undefined {
  const visibility = visibilityOf(def);
  const isOwnersOnly = (row: Row) =>
    def.read === 'owner' || (def.hasVisibility && row[visibility] !== 'public');
  return (row) => {
    if (!row || isBinned(row)) return undefined;
    return isOwnersOnly(row) ? 'owner' : 'all';
  };
}

/** The events of a change: a row that becomes private is deleted for others, and vice versa. */
function eventsOf(
  before: Audience | undefined,
  after: Audience | undefined,
): [audience: Audience, type: RowEvent['type']][] {
  if (before === undefined && after === undefined) return [];
  if (before !== undefined && after !== undefined && before !== after) {
    return [
      ['owner', 'updated'],
      ['others', after === 'all' ? 'created' : 'deleted'],
    ];
  }
  const type = before === undefined ? 'created' : after === undefined ? 'deleted' : 'updated';
  return [[after ?? before ?? 'owner', type]];
}
