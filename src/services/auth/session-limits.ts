import type { Role } from '../../models/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../utils/time/units.ts';

/** How long a session lives, in all and without use, for users and for admins. */
export interface SessionLimits {
  absoluteMs: Record<Role, number>;
  idleMs: Record<Role, number>;
  /** Sessions of one account: one more ends the least recently used one. */
  count: number;
}

/** The limits of the settings, in milliseconds. */
export function sessionLimits(config: {
  sessionDays: number;
  sessionIdleDays: number;
  adminSessionHours: number;
  adminSessionIdleMinutes: number;
  quotaSessions: number;
}): SessionLimits {
  return {
    absoluteMs: { user: config.sessionDays * DAY_MS, admin: config.adminSessionHours * HOUR_MS },
    idleMs: {
      user: config.sessionIdleDays * DAY_MS,
      admin: config.adminSessionIdleMinutes * MINUTE_MS,
    },
    count: config.quotaSessions,
  };
}
