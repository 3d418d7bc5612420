import type { Deps } from '../core/deps.ts';
import { oneLine } from '../utils/text/text.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../utils/time/units.ts';

/** An account as commands read it. */
export type FoundAccount = NonNullable<Awaited<ReturnType<Deps['users']['findByEmail']>>>;

const UNITS = [
  ['day', DAY_MS],
  ['hour', HOUR_MS],
  ['minute', MINUTE_MS],
] as const;

/**
 * Returns one line that identifies an account to an operator, such as
 * `"ada" (id 7; created 3 minutes ago; …)`. The owner chose the names, so they are escaped: they cannot
 * change how a terminal shows the rest.
 */
export function accountLine(user: FoundAccount, now: Date): string {
  const { id, email, username, role, is_active, created_at, email_verified_at } = user;
  const facts = [
    `id ${id}`,
    `email ${email}, ${email_verified_at === null ? 'not verified' : 'verified'}`,
    `created ${ageOf(now.getTime() - Date.parse(created_at))}`,
    `role ${role}`,
    ...(is_active ? [] : ['deactivated']),
  ];
  return oneLine(`${JSON.stringify(username)} (${facts.join('; ')})`);
}

function ageOf(ageMs: number): string {
  const [unit, unitMs] = UNITS.find(([, ms]) => ageMs >= ms) ?? [];
  if (unit === undefined || unitMs === undefined) return 'less than a minute ago';
  const count = Math.floor(ageMs / unitMs);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}
