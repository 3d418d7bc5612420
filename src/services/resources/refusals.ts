import { brokenRuleOf } from '../../core/db/constraints.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { invalid } from './values.ts';

const MESSAGES = {
  check: ['value_error', 'Value is not allowed'],
  type: ['value_error', 'Value has the wrong type'],
  missing: ['missing', 'Field required'],
} as const;

/**
 * Translates an error of a rule of the table: validation_failed for a value, conflict for one that
 * another row has, inactive_user if the owner is gone. Returns other errors unchanged.
 */
export function refusalOf({ name, one, fields }: Definition, error: unknown): unknown {
  const rule = brokenRuleOf(error, name);
  if (!rule) return error;
  const { kind, columns } = rule;
  if (kind === 'reference') return new AppError('inactive_user', 'The account was deleted');
  const own = columns.filter((column) => fields.some((field) => field.name === column));
  if (own.length === 0) return error;
  if (kind === 'unique') {
    return new AppError('conflict', `Another ${one} has the same ${own.join(' and ')}`);
  }
  const [type, msg] = MESSAGES[kind];
  return invalid(...own.map((column) => ({ type, path: [column], msg })));
}
