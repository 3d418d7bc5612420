import { AppError, type Problem } from '../../core/exceptions.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type CheckOptions, problemsOf } from './check.ts';
import type { EditedField } from './check-fields.ts';
import {
  type Fields,
  type GivenField,
  SOURCE_DEFAULTS,
  type Source,
  type SourceFields,
  type SourceRules,
  type StoredField,
} from './definition.ts';
import { mergeFields, movedSecrets, sealedFields } from './secrets.ts';

/** What may be changed; what is left out stays, of queries and headers each by its name. */
export type SourceChanges = {
  [K in keyof Omit<SourceFields<GivenField>, 'query' | 'headers'>]?:
    | SourceFields<GivenField>[K]
    | undefined;
} & { query?: Fields<GivenField> | undefined; headers?: Fields<GivenField> | undefined };

export type NewSource = SourceChanges & Pick<SourceRules, 'base_url'> & { name: string };

/** A source of which nothing was decided. */
export const BLANK: SourceFields<StoredField> = { ...SOURCE_DEFAULTS, base_url: '' };

type Base = SourceFields<StoredField> & { name: string };

/** The fields of `base` after a change, judged and sealed; `old` is what is stored already. Throws validation_failed. */
export async function editedFields(
  { box, hosts }: { box: SecretBox; hosts: CheckOptions },
  base: Base,
  changes: SourceChanges,
  old?: Source,
): Promise<SourceFields<StoredField>> {
  const problems: Problem[] = [];
  const merged = (place: 'query' | 'headers'): Fields<EditedField> =>
    mergeFields(base[place], changes[place] ?? {}, (name) => {
      problems.push({ type: 'missing', loc: ['body', place, name], msg: 'There is no secret yet' });
    });
  const query = merged('query');
  const headers = merged('headers');
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
  const edited = { ...base, ...given, query, headers } as SourceFields<EditedField> & Base;
  problems.push(...problemsOf(edited, hosts));
  if (old) problems.push(...movedSecrets(old, edited));
  if (problems.length > 0) {
    throw new AppError('validation_failed', 'The source is not valid', { problems });
  }
  return fieldsOf({ ...edited, ...(await sealedFields(box, edited)) });
}

/** What an admin decides of a source, without what is counted of it. */
export function fieldsOf(source: SourceFields<StoredField>): SourceFields<StoredField> {
  const keys = Object.keys(BLANK) as (keyof SourceFields<StoredField>)[];
  return Object.fromEntries(keys.map((key) => [key, source[key]])) as unknown as typeof source;
}
