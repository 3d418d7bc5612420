import type { Definition, Field } from '../../resources/declare/definition.ts';

/** Returns conditions that show the grammar of a list's filters. */
export function listExamples(definition: Definition): string[] {
  const json = ofKind(definition, 'json');
  return [
    ...equalExample(definition),
    ...(json ? [jsonExample(json)] : []),
    'created_at lt 2026-11-23T16:00:00Z',
  ];
}

/** Returns conditions that select what is exported. */
export function exportExamples(definition: Definition): string[] {
  const nullable = definition.fields.find(
    ({ name }) => definition.filters[name]?.ops.includes('is') && isPlain(definition, name),
  );
  const examples = [
    ...equalExample(definition),
    ...(nullable ? [`${nullable.name} is not_null`] : []),
  ];
  return examples.length > 0 ? examples : ['created_at lt 2026-11-23T16:00:00Z'];
}

function equalExample(definition: Definition): string[] {
  const field = ofKind(definition, 'texts') ?? firstFiltered(definition);
  return field ? [`${field.name} eq ${exampleOf(field)}`] : [];
}

function ofKind({ fields, filters }: Definition, kind: Field['kind']): Field | undefined {
  return fields.find((field) => field.kind === kind && filters[field.name]);
}

function firstFiltered({ fields, filters }: Definition): Field | undefined {
  return fields.find(({ name }) => filters[name] && !filters[name].hasPath);
}

function isPlain({ filters }: Definition, name: string): boolean {
  return !filters[name]?.hasPath;
}

function jsonExample({ name, schema }: Field): string {
  const [key, value] = Object.entries(schema['examples']?.[0] ?? { size: 2 })[0] ?? ['size', 2];
  return `${name}.${key} ${typeof value === 'number' ? 'gte' : 'eq'} ${String(value)}`;
}

const EXAMPLES: Partial<Record<Field['kind'], string>> = {
  integer: '7',
  real: '1.5',
  flag: 'true',
  time: '2026-11-23T16:00:00Z',
  ref: '7',
};

function exampleOf({ kind, schema }: Field): string {
  const own = kind === 'texts' ? schema['items']?.examples : schema['examples'];
  return String(own?.[0] ?? schema['enum']?.[0] ?? EXAMPLES[kind] ?? 'straw');
}
