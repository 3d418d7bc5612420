/** A text with places for values: `/v1/{city}`; `{{` and `}}` stand for braces themselves. */
export type Template = readonly (string | Placeholder)[];

export interface Placeholder {
  readonly name: string;
}

const PART = /\{\{|\}\}|\{([a-z][a-z0-9_]{0,31})\}|[^{}]+|[{}]/g;

/** Undefined for a text with a lone brace, or one around what is no name. */
export function parseTemplate(text: string): Template | undefined {
  const parts: (string | Placeholder)[] = [];
  for (const [part, name] of text.matchAll(PART)) {
    if (part === '{' || part === '}') return undefined;
    if (name !== undefined) parts.push({ name });
    else parts.push(part === '{{' ? '{' : part === '}}' ? '}' : part);
  }
  return parts;
}

/** The names of its places, in their order. */
export function namesIn(template: Template): string[] {
  return template.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
}

/** Its text alone, without the places. */
export function literalOf(template: Template): string {
  return template.filter((part) => typeof part === 'string').join('');
}

/** The text with a value in each place, as `spell` gives it. */
export function fillTemplate(template: Template, spell: (name: string) => string): string {
  return template.map((part) => (typeof part === 'string' ? part : spell(part.name))).join('');
}
