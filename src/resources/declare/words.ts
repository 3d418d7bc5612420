import type { Definition } from './definition.ts';
import { pascal } from './names.ts';

/** The names of a resource in texts and in the document, such as those of `items`. */
export interface Names {
  /** In texts: `item`. */
  one: string;
  /** In texts: `items`. */
  many: string;
  /** With its article: `an item`. */
  anyOne: string;
  /** In the names of schemas and operations: `Item`. */
  One: string;
  /** In the names of schemas and operations: `Items`. */
  Many: string;
}

/** Returns the names of a resource. */
export function namesOf({ name, one }: Pick<Definition, 'name' | 'one'>): Names {
  const words = (text: string) => text.replaceAll('_', ' ');
  const article = /^[aeio]/.test(one) ? 'an' : 'a';
  return {
    one: words(one),
    many: words(name),
    anyOne: `${article} ${words(one)}`,
    One: pascal(one),
    Many: pascal(name),
  };
}

/** Returns texts as a list in a sentence: `title, url or tags`. */
export function listed(texts: readonly string[], word: 'and' | 'or'): string {
  const last = texts.at(-1) ?? '';
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(', ')} ${word} ${last}`;
}
