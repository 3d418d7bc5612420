/** The changes of a row that webhooks are notified of. */
export const CHANGES = ['created', 'updated', 'deleted'] as const;
export type Change = (typeof CHANGES)[number];

/** The type of an event, such as `items.created`. */
export type EventType = `${string}.${Change}`;

/** The event of a test, which a webhook gets whatever it listens to. */
export const TEST_EVENT = 'webhook.test';

/** True if a webhook that listens to `patterns` receives events of this type. */
export function wants(patterns: readonly string[], type: string): boolean {
  return patterns.some((it) => it === '*' || it === type || it === anyOf(type));
}

/** True if `pattern` is `*`, or names events of one of `resources`, as in `items.*` or `items.created`. */
export function isPattern(pattern: string, resources: readonly string[]): boolean {
  if (pattern === '*') return true;
  const [resource = '', change = '', ...rest] = pattern.split('.');
  const isChange = change === '*' || CHANGES.some((it) => it === change);
  return rest.length === 0 && isChange && resources.includes(resource);
}

/** The wildcard that covers the type: `items.*` for `items.created`. */
function anyOf(type: string): string {
  return `${resourceOf(type)}.*`;
}

/** The resource that an event is about. */
export function resourceOf(type: string): string {
  return type.slice(0, type.indexOf('.'));
}
