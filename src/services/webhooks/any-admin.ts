import { type Actor, actorFor } from '../../core/actor.ts';

/** An admin who owns no row: webhooks receive what every admin may see. */
export const ANY_ADMIN: Actor = actorFor({ id: 0, role: 'admin' });
