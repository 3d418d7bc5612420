import type { Deps } from '../core/deps.ts';
import { oneLine } from '../utils/text/text.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../utils/time/units.ts';

/** An account as the commands find it. */
export type FoundAccount = NonNullable<Awaited<ReturnType<Deps['users']['findByEmail']>>>;

const UNITS = [
  ['day', DAY_MS],
  ['hour', HOUR_MS],
  ['minute', MINUTE_MS],
] as const;

/**
 * One line by which an operator knows an account, as `"ada" (id 7; created 3 minutes ago; …)`. Its
 * owner chose the names, so nothing in them can change what a terminal shows of the rest.
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
