import type { Definition, Row } from '../../resources/declare/definition.ts';
import { isBinned, type RowAccess } from '../resources/access.ts';
import type { RowChange, RowEffect } from '../resources/effects.ts';
import { ANY_ADMIN } from './any-admin.ts';
import type { Change } from './event-types.ts';
import type { NotifyWebhooks } from './events.ts';

/**
 * Notifies webhooks of the changes of rows that every admin may see. A row that becomes private, or
 * moves to the bin, is deleted for them; one that comes back is created.
 */
export function createWebhookEffect(
  { name }: Pick<Definition, 'name'>,
  { mayRead }: Pick<RowAccess, 'mayRead'>,
  notify: NotifyWebhooks,
): RowEffect {
  const isShown = (row: Row | undefined) =>
    row !== undefined && !isBinned(row) && mayRead(ANY_ADMIN, row);
  return (tx, { old, row }: RowChange) => {
    const change = changeOf(isShown(old), isShown(row));
    const latest = row ?? old;
    if (!change || !latest) return;
    return notify(tx, { type: `${name}.${change}`, id: latest.id, version: latest.version });
  };
}

function changeOf(wasShown: boolean, isShown: boolean): Change | undefined {
  if (wasShown) return isShown ? 'updated' : 'deleted';
  return isShown ? 'created' : undefined;
}
