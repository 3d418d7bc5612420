import type { Field, Row } from './definition.ts';

/** A row as responses show it: JSON is parsed and flags are booleans. */
export type Document = Record<string, unknown>;

/** Returns a function that converts stored rows with these fields to documents. */
export function createDecoder(fields: readonly Field[]): (row: Row) => Document {
  const json = fields.filter(({ kind }) => kind === 'json' || kind === 'texts');
  const flags = fields.filter(({ kind }) => kind === 'flag');
  return (row) => {
    const document: Document = { ...row };
    for (const { name } of json) {
      const text = row[name];
      if (typeof text === 'string') document[name] = JSON.parse(text);
    }
    for (const { name } of flags) {
      const value = row[name];
      if (typeof value === 'number') document[name] = value === 1;
    }
    return document;
  };
}
