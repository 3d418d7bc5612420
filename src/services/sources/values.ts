import { fitsPattern, type PlainPattern, parsePattern } from '../../utils/text/plain-pattern.ts';
import { codePoints, isStorable } from '../../utils/text/text.ts';
import type { ParameterValue, SourceParameter } from './definition.ts';

/** Longest text of a parameter that says nothing of it, in code points. */
const DEFAULT_MAX_LENGTH = 200;
/** Greater numbers are written with an exponent, or not as they were given. */
const MAX_NUMBER = 1e15;

/** What is wrong with what was given for a parameter. */
export interface WrongValue {
  name: string;
  type: string;
  msg: string;
}

/** What a caller gave is not what the parameters of a source take. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly wrong: readonly WrongValue[];

  constructor(wrong: readonly WrongValue[]) {
    super('The parameters are not those of the source');
    this.wrong = wrong;
  }
}

/** `text`: from a query, where everything is one; `json`: as JSON has it. */
export type Spelling = 'text' | 'json';
export type Values = ReadonlyMap<string, ParameterValue>;
type Refusal = Omit<WrongValue, 'name'>;
type Read = { value: ParameterValue } | Refusal;

/** The values of all parameters, defaults among them. Throws ParameterError that names each. */
export function readValues(
  parameters: readonly SourceParameter[],
  given: Readonly<Record<string, unknown>>,
  spelling: Spelling,
): Values {
  const known = new Set(parameters.map(({ name }) => name));
  const wrong: WrongValue[] = Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => ({ name, type: 'extra_forbidden', msg: 'Extra inputs are not permitted' }));
  const values = new Map<string, ParameterValue>();
  for (const parameter of parameters) {
    const { name, required } = parameter;
    if (!Object.hasOwn(given, name)) {
      if (parameter.default !== undefined) values.set(name, parameter.default);
      else if (required) wrong.push({ name, type: 'missing', msg: 'Field required' });
      continue;
    }
    const read = readValue(parameter, given[name], spelling);
    if ('value' in read) values.set(name, read.value);
    else wrong.push({ name, ...read });
  }
  if (wrong.length > 0) throw new ParameterError(wrong.slice(0, MAX_NAMED));
  return values;
}

/** Parameters that an answer names: no more, or it could be larger than the request. */
const MAX_NAMED = 100;

/** One value by the rules of its parameter. */
export function readValue(parameter: SourceParameter, given: unknown, spelling: Spelling): Read {
  if (parameter.type === 'boolean') return readBoolean(given, spelling);
  if (parameter.type === 'integer' || parameter.type === 'number') {
    return readNumber(parameter, given, spelling);
  }
  if (typeof given !== 'string') {
    return { type: 'string_type', msg: 'Input should be a valid string' };
  }
  if (parameter.type === 'string') return readText(parameter, given);
  const { values = [] } = parameter;
  if (values.includes(given)) return { value: given };
  return { type: 'enum', msg: `Input should be one of ${values.join(', ')}` };
}

function readBoolean(given: unknown, spelling: Spelling): Read {
  if (spelling === 'json' && typeof given === 'boolean') return { value: given };
  if (spelling === 'text' && given === 'true') return { value: true };
  if (spelling === 'text' && given === 'false') return { value: false };
  return { type: 'bool_parsing', msg: 'Input should be true or false' };
}

function readNumber({ type, min, max }: SourceParameter, given: unknown, spelling: Spelling): Read {
  const value = spelling === 'text' ? numberOf(String(given)) : given;
  const isOne = typeof value === 'number' && Math.abs(value) <= MAX_NUMBER;
  if (!isOne || (type === 'integer' && !Number.isInteger(value))) {
    const [kind, name] = type === 'integer' ? ['int', 'integer'] : ['float', 'number'];
    return { type: `${kind}_parsing`, msg: `Input should be a valid ${name}` };
  }
  if (min !== undefined && value < min) {
    return { type: 'greater_than_equal', msg: `Input should be greater than or equal to ${min}` };
  }
  if (max !== undefined && value > max) {
    return { type: 'less_than_equal', msg: `Input should be less than or equal to ${max}` };
  }
  return { value };
}

/** `1e3`, `0x10` and ` 1` are no numbers here. */
function numberOf(text: string): number | undefined {
  return /^-?\d{1,16}(\.\d{1,16})?$/.test(text) ? Number(text) : undefined;
}

function readText(parameter: SourceParameter, given: string): Read {
  const { max_length = DEFAULT_MAX_LENGTH } = parameter;
  if (given.length > 2 * max_length || codePoints(given) > max_length) {
    return { type: 'string_too_long', msg: `String should have at most ${max_length} characters` };
  }
  if (!isStorable(given)) {
    const msg = 'Value error, text must not contain NUL or lone surrogates';
    return { type: 'value_error', msg };
  }
  const pattern = patternOf(parameter);
  if (pattern && !fitsPattern(pattern, given)) {
    const msg = `String should match pattern '${parameter.pattern}'`;
    return { type: 'string_pattern_mismatch', msg };
  }
  return { value: given };
}

const patterns = new WeakMap<SourceParameter, PlainPattern>();

/** Read once for as long as the source is kept. */
function patternOf(parameter: SourceParameter): PlainPattern | undefined {
  if (parameter.pattern === undefined) return undefined;
  const pattern = patterns.get(parameter) ?? parsePattern(parameter.pattern);
  if (pattern) patterns.set(parameter, pattern);
  return pattern;
}
