import { Kind, type TObject, type TSchema } from '@sinclair/typebox';
import { t } from 'elysia';
import type { Definition, Field, FieldKind } from '../../resources/declare/definition.ts';
import { namesOf } from '../../resources/declare/words.ts';
import { Integer, IntegerText, Nullable, Timestamp } from '../kinds.ts';

/** The media type of responses with selected fields. */
export const SPARSE_TYPE = 'application/vnd.hutch.sparse+json';

export type DocumentSchemas = ReturnType<typeof documentSchemas>;

/** Returns the schemas of one row: as it is created, changed and read. */
export function documentSchemas(definition: Definition) {
  const { One, anyOne } = namesOf(definition);
  const Document = documentOf(definition);
  const { id, ...others } = Document.properties as { id: TSchema };
  const related = relatedOf(definition);
  const strict = { additionalProperties: false };
  return {
    New: t.Object(newFields(definition), { title: `${One}New`, ...strict }),
    /** RFC 7396: missing fields stay unchanged; in a JSON object, null removes a key. */
    Patch: t.Object(t.Partial(t.Object(newFields(definition))).properties, {
      title: `${One}Patch`,
      ...strict,
    }),
    Document,
    /** A row as it is read, with the rows that `expand` requests. */
    Shown: t.Object({ ...Document.properties, ...related }, { title: `${One}Shown` }),
    /** A row with selected fields. */
    Sparse: t.Object(
      { id, ...t.Partial(t.Object(others)).properties, ...related },
      {
        title: `${One}Sparse`,
        description: `The id of ${anyOne} and the fields named in \`fields\`.`,
      },
    ),
    Params: t.Object({
      [definition.idParam]: IntegerText({ minimum: 1, description: `The id of ${anyOne}.` }),
    }),
  };
}

const documents = new WeakMap<Definition, TObject>();

/** Returns the schema of a whole row; its properties are the names that `fields` accepts. */
export function documentOf(definition: Definition): TObject {
  const known = documents.get(definition);
  if (known) return known;
  const { fields, hasViews, hasBin } = definition;
  const not = hasViews ? ', but not with views' : '';
  const schema = t.Object(
    {
      id: Integer({ examples: [7] }),
      owner_id: Integer(),
      ...Object.fromEntries(fields.map((field) => [field.name, shownValue(field)])),
      ...(hasViews && { views: Integer() }),
      version: Integer({ description: `Increases with every change${not}.` }),
      created_at: Timestamp(),
      updated_at: Timestamp(),
      ...(hasBin && { deleted_at: t.Union([Timestamp(), t.Null()]) }),
    },
    { title: `${namesOf(definition).One}Document` },
  );
  documents.set(definition, schema);
  return schema;
}

/** A relation that `expand` follows: the field with the id, and the resource of the row. */
export interface Relation {
  name: string;
  field: Field;
  to: Definition;
}

/** Returns the relations of a resource to others: `list_id` is expanded as `list`. */
export function relationsOf({ fields }: Definition): Relation[] {
  return fields.flatMap((field) =>
    field.ref ? [{ name: field.name.replace(/_id$/, ''), field, to: field.ref.to() }] : [],
  );
}

/** The names that `expand` accepts. */
export function expansionsOf(definition: Definition): string[] {
  return ['owner', ...relationsOf(definition).map(({ name }) => name)];
}

function relatedOf(definition: Definition): Record<string, TSchema> {
  const { One } = namesOf(definition);
  const owner = t.Object(
    { id: Integer(), username: t.String({ examples: ['ada'] }) },
    { title: `${One}Owner`, description: 'With expand=owner.' },
  );
  const others = relationsOf(definition).map(({ name, to }) => [
    name,
    t.Optional(
      t.Union([documentOf(to), t.Null()], {
        description: `With expand=${name}: null if the caller may not read it.`,
      }),
    ),
  ]);
  return { owner: t.Optional(owner), ...Object.fromEntries(others) };
}

/** The fields of a creation. They have no defaults, which would overwrite values in a patch. */
function newFields({ fields }: Definition): Record<string, TSchema> {
  return Object.fromEntries(
    fields.map((field) => [
      field.name,
      field.isRequired ? sentValue(field) : t.Optional(sentValue(field)),
    ]),
  );
}

function sentValue({ schema, isNullable }: Field): TSchema {
  return isNullable ? Nullable(schema) : schema;
}

/** The schema of a stored value as it is read: without limits, which only inputs must keep. */
function shownValue({ kind, schema, isNullable }: Field): TSchema {
  const shown = SHOWN[kind](schema);
  return isNullable ? t.Union([shown, t.Null()]) : shown;
}

const SHOWN: Record<FieldKind, (schema: TSchema) => TSchema> = {
  text: () => t.String(),
  integer: () => Integer(),
  real: () => t.Number(),
  flag: () => t.Boolean(),
  time: () => Timestamp(),
  choice: withoutDescription,
  json: (schema) => (isOfKind(schema, 'HutchJsonObject') ? t.Record(t.String(), t.Any()) : schema),
  texts: () => t.Array(t.String()),
  ref: () => Integer(),
  visibility: withoutDescription,
};

function withoutDescription({ description: _, default: _d, ...schema }: TSchema): TSchema {
  return schema as unknown as TSchema;
}

function isOfKind(schema: TSchema, kind: string): boolean {
  return (schema as unknown as Record<PropertyKey, unknown>)[Kind] === kind;
}
