/** Returns the next time of a cron expression of 5 fields in UTC. Throws RangeError if there is none. */
export function nextAfter(cron: string, time: Date): Date {
  const next = Bun.cron.parse(cron, time, { tz: 'UTC' });
  if (!next) throw new RangeError(`The cron expression "${cron}" never matches`);
  return next;
}
