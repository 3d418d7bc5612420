import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import { OutboundError } from '../../core/outbound/errors.ts';
import { type HostRules, parseCallable } from '../outbound-url.ts';
import { isPattern } from './event-types.ts';
import { isSecret } from './signature.ts';

/** The fields of a webhook that are checked; omitted ones are not. */
export interface CheckedFields {
  url?: string | undefined;
  events?: readonly string[] | undefined;
  secret?: string | undefined;
}

export interface WebhookRules {
  hosts: HostRules;
  /** The resources that events can be about. */
  resources: readonly string[];
}

/** Throws validation_failed with all problems of the fields. */
export function requireValid(fields: CheckedFields, rules: WebhookRules): void {
  const { url, events, secret } = fields;
  const problems = [
    ...(url === undefined ? [] : urlProblems(url, rules.hosts)),
    ...(events === undefined ? [] : eventProblems(events, rules.resources)),
    ...(secret === undefined || isSecret(secret) ? [] : [INVALID_SECRET]),
  ];
  if (problems.length === 0) return;
  throw new AppError('validation_failed', 'The request is not valid', { fields: problems });
}

const INVALID_SECRET: FieldProblem = {
  type: 'value_error',
  path: ['secret'],
  msg: 'must be whsec_ and the base64 of 24 to 64 bytes',
};

function urlProblems(url: string, hosts: HostRules): FieldProblem[] {
  try {
    const { protocol, isAllowListed } = parseCallable(url, hosts);
    if (protocol === 'https:' || isAllowListed) return [];
    return [{ type: 'url_refused', path: ['url'], msg: 'must begin with https://' }];
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return [{ type: error.code, path: ['url'], msg: error.message }];
  }
}

function eventProblems(events: readonly string[], resources: readonly string[]): FieldProblem[] {
  return events.flatMap((event, index) => {
    if (isPattern(event, resources)) return [];
    const msg = `must be *, or ${resources.join(' or ')} with .created, .updated, .deleted or .*`;
    return [{ type: 'value_error', path: ['events', index], msg }];
  });
}
