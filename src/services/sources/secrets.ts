import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import { type SecretBox, SecretError } from '../../core/security/secret-box.ts';
import {
  type EditedField,
  type FieldChange,
  type Fields,
  mapFields,
  type PlainField,
  type Source,
  type StoredField,
} from './definition.ts';

const PLACES = ['query', 'headers'] as const;
type Place = (typeof PLACES)[number];

/** Binds a secret to its field: it cannot be opened for another source, host, place or name. */
function bindingOf(
  { name, base_url }: Pick<Source, 'name' | 'base_url'>,
  place: Place,
  field: string,
): string {
  return JSON.stringify(['source', name, URL.parse(base_url)?.origin, place, field]);
}

/** Applies a change to fields (RFC 7396). Calls `refuse` for a secret of null that is not set. */
export function mergeFields(
  old: Fields<StoredField>,
  changes: Fields<FieldChange>,
  refuse: (name: string) => void,
): Fields<EditedField> {
  const merged = new Map<string, EditedField>(Object.entries(old));
  for (const [name, field] of Object.entries(changes)) {
    if (field === null) merged.delete(name);
    else if (typeof field === 'string') merged.set(name, field);
    else if (field.secret !== null) merged.set(name, { secret: field.secret });
    else if (typeof merged.get(name) !== 'object') refuse(name);
  }
  return Object.fromEntries(merged);
}

/** The problems of secrets that a change would send to another host than before. */
export function movedSecrets(old: Source, next: EditedSource): FieldProblem[] {
  if (URL.parse(old.base_url)?.origin === URL.parse(next.base_url)?.origin) return [];
  const msg = 'must be set again because the host has changed';
  return PLACES.flatMap((place) =>
    Object.entries(next[place])
      .filter(([, field]) => typeof field === 'object' && 'sealed' in field)
      .map(([name]) => ({ type: 'secret_needed', path: [place, name], msg })),
  );
}

interface EditedSource {
  name: string;
  base_url: string;
  query: Fields<EditedField>;
  headers: Fields<EditedField>;
}

/** The fields of a source as they are stored. Throws secrets_unreadable without a key. */
export async function sealedFields(box: SecretBox, source: EditedSource) {
  try {
    return { query: await seal(box, source, 'query'), headers: await seal(box, source, 'headers') };
  } catch (error) {
    throw unreadable(source, error);
  }
}

/** The fields of a source as they are sent. Throws secrets_unreadable. */
export async function openedFields(box: SecretBox, source: Source) {
  try {
    return { query: await open(box, source, 'query'), headers: await open(box, source, 'headers') };
  } catch (error) {
    throw unreadable(source, error);
  }
}

/** The reason is in the cause, which only the log shows. */
function unreadable({ name }: { name: string }, error: unknown): unknown {
  if (!(error instanceof SecretError)) return error;
  const msg = `The secrets of source ${name} cannot be read or stored with the key of this server`;
  return new AppError('secrets_unreadable', msg, { cause: error });
}

async function seal(
  box: SecretBox,
  source: EditedSource,
  place: Place,
): Promise<Fields<StoredField>> {
  const entries = Object.entries(source[place]).map(async ([name, field]) => {
    if (typeof field === 'string' || 'sealed' in field) return [name, field] as const;
    const sealed = await box.seal(field.secret, bindingOf(source, place, name));
    return [name, { sealed }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function open(box: SecretBox, source: Source, place: Place): Promise<Fields<PlainField>> {
  const entries = Object.entries(source[place]).map(async ([name, field]) => {
    if (typeof field === 'string') return [name, field] as const;
    const secret = await box.open(field.sealed, bindingOf(source, place, name));
    return [name, { secret }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The fields of a source with each secret as `***`. */
export function maskedFields({ query, headers }: Pick<Source, 'query' | 'headers'>) {
  const mask = (field: StoredField): PlainField =>
    typeof field === 'string' ? field : { secret: '***' };
  return { query: mapFields(query, mask), headers: mapFields(headers, mask) };
}
