import { eq, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Viewers } from '../../core/viewers.ts';
import { itemViews } from '../../models/index.ts';
import { isBot } from '../../utils/http/bots.ts';
import { ensureVisible, itemNotFound } from './access.ts';
import type { ItemViews } from './views.ts';

export interface ItemViewingDeps {
  db: Db;
  views: ItemViews;
  viewers: Viewers;
}

/** What a view came to: the views of the item, and whether it was counted. */
export interface Viewed {
  views: number;
  counted: boolean;
}

/** Views of items that the caller may see. */
export const createItemViewing = ({ db, views, viewers }: ItemViewingDeps) => ({
  /** Counts a view, unless a bot's or one of who had viewed the item lately. Throws not_found. */
  view: async (actor: AnyActor, id: number): Promise<Viewed> => {
    await ensureVisible(db.read, actor, id);
    const counted = !isBot(actor.origin.user_agent) && viewers.isNew(id, actor);
    if (counted) await views.add(id);
    const [item] = await views.withPending(() => viewsById(db.read, { id }));
    if (!item) throw itemNotFound(id);
    return { views: item.views, counted };
  },
});

const viewsById = prepare<{ id: number }, { id: number; views: number }[]>((orm) =>
  orm
    .select({ id: itemViews.item_id, views: itemViews.views })
    .from(itemViews)
    .where(eq(itemViews.item_id, sql.placeholder('id'))),
);
