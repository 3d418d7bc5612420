import type { Problem } from '../../core/exceptions.ts';
import { parseAllowList, parsePermitted } from '../../core/outbound/address.ts';
import { isPublicAddress } from '../../core/outbound/address-range.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import { isDeeperThan } from '../../utils/json/depth.ts';
import { literalOf, namesIn, parseTemplate } from '../../utils/text/template.ts';
import { isStorable } from '../../utils/text/text.ts';
import { checkFields, type EditedField } from './check-fields.ts';
import { checkParameters } from './check-parameters.ts';
import type { SourceFields } from './definition.ts';
import { requestOf } from './request.ts';
import { ParameterError } from './values.ts';

export interface CheckOptions {
  /** Hosts that may be private, and hosts beside which no other may be called: the settings' own. */
  allowHosts: readonly string[];
  onlyHosts: readonly string[];
}

type Edited = SourceFields<EditedField>;
/** Says what is wrong at a place of the body. */
export type Refuse = (path: (string | number)[], msg: string, type?: string) => void;

/** Most bytes of a body's template, as JSON, and its deepest nesting. */
const MAX_BODY_BYTES = 16_384;
const MAX_BODY_DEPTH = 20;
/** What a path may hold as it is; the rest is given percent-encoded. */
const PATH = /^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*$/i;
const DOTS = /^(?:\.|%2e){1,2}$/i;
const NO_PLACE = 'is no template: a place for a parameter is {name}, a brace itself {{ or }}';

/** All that is wrong with a source, each named by its place; its shape was judged before. */
export function problemsOf(source: Edited & { name: string }, options: CheckOptions): Problem[] {
  const problems: Problem[] = [];
  const refuse: Refuse = (path, msg, type = 'value_error') => {
    problems.push({ type, loc: ['body', ...path], msg });
  };
  if (source.name === 'fetch') refuse(['name'], 'is taken by POST /sources/fetch');
  checkBaseUrl(source.base_url, options, refuse);
  checkPath(source, refuse);
  checkFields(source, refuse);
  const texts = textsOfBody(source, refuse);
  checkParameters(source.parameters, refuse);
  checkPlaces(source, texts, refuse);
  checkCaching(source, refuse);
  // Only of what is whole can it be said whether it can be asked.
  if (problems.length === 0) checkRefresh(source, refuse);
  return problems;
}

function checkBaseUrl(base_url: string, options: CheckOptions, refuse: Refuse): void {
  const { allowHosts, onlyHosts } = options;
  if (/[?#]/.test(base_url)) refuse(['base_url'], 'must have no query and no fragment');
  try {
    const target = parsePermitted(base_url, parseAllowList(allowHosts), parseAllowList(onlyHosts));
    const address = target.hostname.replace(/^\[|\]$/g, '');
    // What a name resolves to is judged at each call.
    if (target.isLiteral && !target.isAllowListed && !isPublicAddress(address)) {
      refuse(['base_url'], `${target.host} is not a public address`, 'address_refused');
    }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    refuse(['base_url'], error.message, error.code);
  }
}

function checkPath({ path, parameters }: Edited, refuse: Refuse): void {
  const template = parseTemplate(path);
  if (!template) {
    refuse(['path'], NO_PLACE);
    return;
  }
  if (path !== '' && !path.startsWith('/')) refuse(['path'], 'must begin with /');
  if (!PATH.test(literalOf(template))) refuse(['path'], 'has characters that must be encoded');
  if (path.split('/').some((segment) => DOTS.test(segment))) {
    refuse(['path'], 'must have no segment of dots alone');
  }
  const optional = parameters.filter((it) => !it.required && it.default === undefined);
  const lacking = optional.find(({ name }) => namesIn(template).includes(name));
  if (lacking) refuse(['path'], `{${lacking.name}} must be required or have a default`);
}

/** The texts in a body that can be sent; none of another. */
function textsOfBody({ method, body }: Edited, refuse: Refuse): string[] {
  if (body !== null && method !== 'POST') refuse(['body'], 'is sent by POST alone');
  // Before it is written or walked: both go as deep as it is.
  if (isDeeperThan(body, MAX_BODY_DEPTH)) {
    refuse(['body'], `must be nested at most ${MAX_BODY_DEPTH} deep`, 'too_deep');
    return [];
  }
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_BODY_BYTES) {
    refuse(['body'], `must be at most ${MAX_BODY_BYTES} bytes of JSON`, 'too_long');
  }
  const texts = textsIn(body);
  const isTemplate = (text: string) => isStorable(text) && parseTemplate(text) !== undefined;
  if (!texts.every(isTemplate)) refuse(['body'], `A text ${NO_PLACE}`);
  return texts;
}

/** Every place has its parameter, and every parameter a place. */
function checkPlaces(source: Edited, texts: string[], refuse: Refuse): void {
  const { path, query, headers, parameters } = source;
  const fields = (of: Record<string, EditedField>, at: string) =>
    Object.entries(of).map(([name, field]) => [[at, name], field] as const);
  const places = [
    [['path'], path] as const,
    ...fields(query, 'query'),
    ...fields(headers, 'headers'),
    ...texts.map((text) => [['body'], text] as const),
  ].flatMap(([at, text]) =>
    typeof text === 'string'
      ? namesIn(parseTemplate(text) ?? []).map((name) => ({ at, name }))
      : [],
  );
  const known = new Set(parameters.map(({ name }) => name));
  for (const { at, name } of places) {
    if (!known.has(name)) refuse([...at], `{${name}} is no parameter`, 'unknown_parameter');
  }
  const used = new Set(places.map(({ name }) => name));
  for (const [index, { name }] of parameters.entries()) {
    if (!used.has(name))
      refuse(['parameters', index], `${name} is used nowhere`, 'unused_parameter');
  }
}

function checkCaching(source: Edited, refuse: Refuse): void {
  const { method, ttl_seconds, stale_seconds, refresh } = source;
  if (ttl_seconds !== 0 && method !== 'GET') refuse(['ttl_seconds'], 'must be 0: only GET is kept');
  if (ttl_seconds === 0 && stale_seconds !== 0) {
    refuse(['stale_seconds'], 'must be 0 where nothing is kept');
  }
  if (refresh === null) return;
  if (!isCron(refresh))
    refuse(['refresh'], 'must be a cron expression of 5 fields that comes round');
  if (ttl_seconds === 0) refuse(['refresh'], 'needs answers that are kept: ttl_seconds is 0');
}

/** What is asked for by the clock must be what a caller could ask for. */
function checkRefresh(source: Edited, refuse: Refuse): void {
  if (source.refresh === null) return;
  const plain = { ...source, query: {}, headers: {}, forward_headers: [] };
  for (const [index, parameters] of source.refresh_parameters.entries()) {
    try {
      requestOf(plain, { parameters, spelling: 'json' });
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      for (const { name, type, msg } of error.wrong) {
        refuse(['refresh_parameters', index, name], msg, type);
      }
    }
  }
}

function isCron(text: string): boolean {
  try {
    return Bun.cron.parse(text, Date.now(), { tz: 'UTC' }) !== null;
  } catch {
    return false;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
