import { fitsPattern, type PlainPattern, parsePattern } from '../../utils/text/plain-pattern.ts';
import { codePoints, isStorable } from '../../utils/text/text.ts';
import type { ParameterValue, SourceParameter } from './definition.ts';

/** Longest text of a parameter without `max_length`, in code points. */
const DEFAULT_MAX_LENGTH = 200;
/** Greater numbers lose digits or are written with an exponent. */
const MAX_NUMBER = 1e15;

/** One refused parameter. */
export interface ParameterProblem {
  name: string;
  type: string;
  msg: string;
}

/** A caller's values do not match the parameters of the source. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly problems: readonly ParameterProblem[];

  constructor(problems: readonly ParameterProblem[]) {
    super('The parameters do not match those of the source');
    this.problems = problems;
  }
}

/** `text` for values from a query string; `json` for values from a JSON body. */
export type ValueFormat = 'text' | 'json';
export type Values = ReadonlyMap<string, ParameterValue>;
type ReadResult = { value: ParameterValue } | Omit<ParameterProblem, 'name'>;

/** The values of all parameters, with their defaults. Throws ParameterError that names each problem. */
export function readValues(
  parameters: readonly SourceParameter[],
  input: Readonly<Record<string, unknown>>,
  format: ValueFormat,
): Values {
  const known = new Set(parameters.map(({ name }) => name));
  const problems: ParameterProblem[] = Object.keys(input)
    .filter((name) => !known.has(name))
    .map((name) => ({ name, type: 'extra_forbidden', msg: 'Extra inputs are not permitted' }));
  const values = new Map<string, ParameterValue>();
  for (const parameter of parameters) {
    const { name, required } = parameter;
    if (!Object.hasOwn(input, name)) {
      if (parameter.default !== undefined) values.set(name, parameter.default);
      else if (required) problems.push({ name, type: 'missing', msg: 'Field required' });
      continue;
    }
    const result = readValue(parameter, input[name], format);
    if ('value' in result) values.set(name, result.value);
    else problems.push({ name, ...result });
  }
  if (problems.length > 0) throw new ParameterError(problems.slice(0, MAX_NAMED));
  return values;
}

/** Problems that a response names. With more it could be larger than the request. */
const MAX_NAMED = 100;

/** Reads one value by the rules of its parameter. */
export function readValue(
  parameter: SourceParameter,
  input: unknown,
  format: ValueFormat,
): ReadResult {
  if (parameter.type === 'boolean') return readBoolean(input, format);
  if (parameter.type === 'integer' || parameter.type === 'number') {
    return readNumber(parameter, input, format);
  }
  if (typeof input !== 'string') {
    return { type: 'string_type', msg: 'Input should be a valid string' };
  }
  if (parameter.type === 'string') return readText(parameter, input);
  const { values = [] } = parameter;
  if (values.includes(input)) return { value: input };
  return { type: 'enum', msg: `Input should be one of ${values.join(', ')}` };
}

function readBoolean(input: unknown, format: ValueFormat): ReadResult {
  if (format === 'json' && typeof input === 'boolean') return { value: input };
  if (format === 'text' && input === 'true') return { value: true };
  if (format === 'text' && input === 'false') return { value: false };
  return { type: 'bool_parsing', msg: 'Input should be true or false' };
}

function readNumber(
  { type, min, max }: SourceParameter,
  input: unknown,
  format: ValueFormat,
): ReadResult {
  const value = format === 'text' ? numberOf(String(input)) : input;
  const isNumber = typeof value === 'number' && Math.abs(value) <= MAX_NUMBER;
  if (!isNumber || (type === 'integer' && !Number.isInteger(value))) {
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

/** The number that `text` writes in plain digits; undefined for `1e3`, `0x10` or ` 1`. */
function numberOf(text: string): number | undefined {
  return /^-?\d{1,16}(\.\d{1,16})?$/.test(text) ? Number(text) : undefined;
}

function readText(parameter: SourceParameter, input: string): ReadResult {
  const { max_length = DEFAULT_MAX_LENGTH } = parameter;
  if (input.length > 2 * max_length || codePoints(input) > max_length) {
    return { type: 'string_too_long', msg: `String should have at most ${max_length} characters` };
  }
  if (!isStorable(input)) {
    const msg = 'Value error, text must not contain NUL or lone surrogates';
    return { type: 'value_error', msg };
  }
  const pattern = patternOf(parameter);
  if (pattern && !fitsPattern(pattern, input)) {
    const msg = `String should match pattern '${parameter.pattern}'`;
    return { type: 'string_pattern_mismatch', msg };
  }
  return { value: input };
}

const patterns = new WeakMap<SourceParameter, PlainPattern>();

/** The parsed pattern, cached for as long as the source is. */
function patternOf(parameter: SourceParameter): PlainPattern | undefined {
  if (parameter.pattern === undefined) return undefined;
  const pattern = patterns.get(parameter) ?? parsePattern(parameter.pattern);
  if (pattern) patterns.set(parameter, pattern);
  return pattern;
}
