import { parsePattern } from '../../utils/text/plain-pattern.ts';
import type { Refuse } from './check.ts';
import type { SourceParameter } from './definition.ts';
import { readValue } from './values.ts';

/** Which rules each type has, beside those of all. */
const RULES: Record<SourceParameter['type'], readonly (keyof SourceParameter)[]> = {
  string: ['max_length', 'pattern'],
  integer: ['min', 'max'],
  number: ['min', 'max'],
  boolean: [],
  enum: ['values'],
};
const ALL_RULES = ['max_length', 'pattern', 'min', 'max', 'values'] as const;

/** Refuses parameters that contradict themselves or one another. */
export function checkParameters(parameters: readonly SourceParameter[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [index, parameter] of parameters.entries()) {
    const at = ['parameters', index];
    if (seen.has(parameter.name)) refuse(at, `${parameter.name} is there twice`);
    seen.add(parameter.name);
    checkOne(parameter, (path, msg, type) => refuse([...at, ...path], msg, type));
  }
}

function checkOne(parameter: SourceParameter, refuse: Refuse): void {
  const { type, min, max, pattern, values, required } = parameter;
  for (const rule of ALL_RULES) {
    if (parameter[rule] === undefined || RULES[type].includes(rule)) continue;
    refuse([rule], `is no rule of a parameter of the type ${type}`);
  }
  if (type === 'enum' && !values?.length) refuse(['values'], 'Field required', 'missing');
  if (min !== undefined && max !== undefined && min > max) refuse(['max'], 'must not be below min');
  if (pattern !== undefined && !parsePattern(pattern)) {
    refuse(['pattern'], 'must be a plain pattern: no groups, alternatives or references');
  }
  if (parameter.default === undefined) return;
  if (required) refuse(['default'], 'is never used by what is required');
  const read = readValue(parameter, parameter.default, 'json');
  if (!('value' in read)) refuse(['default'], read.msg, read.type);
}
