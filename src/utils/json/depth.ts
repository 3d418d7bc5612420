/**
 * True if arrays and objects of a parsed JSON value are nested more than `maxDepth` levels deep.
 * JSON.parse accepts far deeper values than JSON.stringify, which overflows the stack.
 */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (maxDepth === 0) return true;
  const children = Array.isArray(value) ? value : Object.values(value);
  return children.some((child) => isDeeperThan(child, maxDepth - 1));
}
