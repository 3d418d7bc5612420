import { type Fragment, fragment, raw } from './fragment.ts';

/** The full-text index of a table. */
export interface FullText {
  /** The indexed table. */
  table: string;
  /** The indexed columns; the first one is the title. */
  columns: readonly string[];
  /** SQL for the rows that are indexed, with the columns of the row as `"column"`; empty for all. */
  listed: readonly { column: string; is: string }[];
}

const indexOf = ({ table }: FullText) => `${table}_fts`;
const wordsOf = ({ table }: FullText) => `${table}_fts_words`;

/** FROM and WHERE for the rows that match an expression; their ids are `rowid`. */
export function matching(it: FullText, expression: string): Fragment {
  const index = raw(`"${indexOf(it)}"`);
  return fragment`from ${index} where ${index} match ${expression}`;
}

/** Expressions for one word, quoted so that it is no operator, and for words that start like it. */
export const matchWord = (word: string): string => `"${word}"`;
export const matchStart = (word: string): string => `"${word}"*`;
export const matchOne = (expressions: readonly string[]): string => `(${expressions.join(' OR ')})`;
export const matchAll = (expressions: readonly string[]): string => expressions.join(' AND ');
/** Restricts an expression to the first column. */
export function matchTitle({ columns }: FullText, expression: string): string {
  return `{${columns[0]}} : ${expression}`;
}

/** The first word of the index at or after a text, as `term`. */
export function firstWordFrom(it: FullText, text: string): Fragment {
  return fragment`select term from ${raw(`"${wordsOf(it)}"`)} where term >= ${text} limit 1`;
}
