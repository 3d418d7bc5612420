import type { Definition } from './definition.ts';

/** Returns new values with the defaults of missing fields. */
export function withDefaults(
  { fields }: Pick<Definition, 'fields'>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, default: value = null }) => {
      const given = values[name];
      return [name, given === undefined ? value : given];
    }),
  );
}
