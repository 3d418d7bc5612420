import { JsonFault, parseJson } from '../../../utils/json/parse.ts';

/** A parsed value, or the reason why it cannot be parsed. */
export type Read = { value: unknown } | { code: string; problem: string };

/** Parses the JSON of a column or, without `column`, of a whole line. */
export function parsed(bytes: Uint8Array, column?: string): Read {
  try {
    return { value: parseJson(bytes) };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const path = [...(column === undefined ? [] : [column]), ...error.path].join('.');
    const reason = error.isFlaw ? `Value error, ${error.message}` : error.message;
    const code = error.isFlaw ? 'value_error' : 'json_invalid';
    return { code, problem: path === '' ? reason : `${path}: ${reason}` };
  }
}
