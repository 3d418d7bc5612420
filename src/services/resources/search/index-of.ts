import type { FullText } from '../../../core/db/full-text.ts';
import type { Definition } from '../../../resources/declare/definition.ts';

/** The index of a resource; undefined if it has no search, or only rows that one account sees. */
export function fullTextOf(
  def: Pick<Definition, 'name' | 'search' | 'read' | 'hasVisibility' | 'hasBin'>,
): FullText | undefined {
  if (def.search.length === 0 || def.read === 'owner') return undefined;
  const listed = [
    ...(def.hasVisibility ? [{ column: 'visibility', is: `= 'public'` }] : []),
    ...(def.hasBin ? [{ column: 'deleted_at', is: 'is null' }] : []),
  ];
  return { table: def.name, columns: def.search, listed };
}
