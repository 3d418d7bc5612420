/** A text with placeholders: `/v1/{city}`. `{{` and `}}` are literal braces. */
export type Template = readonly (string | Placeholder)[];

export interface Placeholder {
  readonly name: string;
}

const PART = /\{\{|\}\}|\{([a-z][a-z0-9_]{0,31})\}|[^{}]+|[{}]/g;

/** Returns undefined for a text with a lone brace or an invalid name in braces. */
export function parseTemplate(text: string): Template | undefined {
  const parts: (string | Placeholder)[] = [];
  for (const [part, name] of text.matchAll(PART)) {
    if (part === '{' || part === '}') return undefined;
    if (name !== undefined) parts.push({ name });
    else parts.push(part === '{{' ? '{' : part === '}}' ? '}' : part);
  }
  return parts;
}

/** Returns the names of the placeholders, in order. */
export function namesIn(template: Template): string[] {
  return template.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
}

/** Returns the text without the placeholders. */
export function literalOf(template: Template): string {
  return template.filter((part) => typeof part === 'string').join('');
}

/** Returns the text with each placeholder replaced by the result of `spell`. */
export function fillTemplate(template: Template, spell: (name: string) => string): string {
  return template.map((part) => (typeof part === 'string' ? part : spell(part.name))).join('');
}
