type Json = Record<string, unknown>;

/** Applies a JSON merge patch (RFC 7396) and returns the result. The inputs are not modified. */
export function mergePatch(target: Json, patch: Json): Json {
  // A map, because the key __proto__, which older items may have, would set an object's prototype.
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isObject(value) ? mergePatch(asObject(merged.get(key)), value) : value);
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
