import type { Contract, Operation, Parameter } from './document.ts';
import { requestBreaks, responseBreaks } from './schema-rules.ts';

/**
 * Returns the changes that break clients of `old`, each as a sentence that begins with the
 * operation: removals, new requirements, stricter requests and different responses. Additions are
 * compatible.
 *
 * Clients match problems by code. A new code is compatible, because clients treat unknown codes by
 * their status. A code may be removed from an operation whose error no longer occurs, but it must
 * not be replaced by another code or status, or disappear from the whole API.
 */
export function breakingChanges(old: Contract, next: Contract): string[] {
  const changed = Object.entries(old).flatMap(([name, was]) => {
    const is = next[name];
    const found = is ? operationBreaks(was, is) : ['is gone'];
    return found.map((it) => `${name}: ${it}`);
  });
  const known = allCodes(next);
  const remaining = Object.entries(old).filter(([name]) => name in next);
  const gone = [...allCodes(Object.fromEntries(remaining))].filter((code) => !known.has(code));
  return [...changed, ...gone.map((code) => `no operation has the code ${code} any more`)];
}

function allCodes(contract: Contract): Set<string> {
  const responses = Object.values(contract).flatMap((it) => Object.values(it.responses));
  return new Set(responses.flatMap(({ codes = [] }) => codes));
}

function operationBreaks(was: Operation, is: Operation): string[] {
  return [
    ...(isOpen(was) && !isOpen(is) ? ['needs a token now'] : []),
    ...parameterBreaks(was.parameters ?? [], is.parameters ?? []),
    ...bodyBreaks(was, is),
    ...successBreaks(was, is),
    ...codeBreaks(was, is),
  ];
}

/** Returns true if an operation has no security requirement, or an empty one. */
function isOpen({ security }: Operation): boolean {
  return (
    security !== undefined &&
    (security.length === 0 || security.some((it) => Object.keys(it).length === 0))
  );
}

function parameterBreaks(was: Parameter[], is: Parameter[]): string[] {
  const find = (list: Parameter[], { in: where, name }: Parameter) =>
    list.find((it) => it.in === where && it.name === name);
  const added = is.filter((it) => it.required && !find(was, it));
  const changed = was.flatMap((old) => {
    const label = `${old.in} parameter ${old.name}`;
    const now = find(is, old);
    if (!now) return [`${label} is gone`];
    const required = now.required && !old.required ? [`${label} is required now`] : [];
    return [...required, ...requestBreaks(old.schema, now.schema, label)];
  });
  return [...added.map((it) => `${it.in} parameter ${it.name} is new and required`), ...changed];
}

function bodyBreaks({ requestBody: was }: Operation, { requestBody: is }: Operation): string[] {
  if (!was) return is?.required ? ['a body is required now'] : [];
  if (!is) return ['takes no body any more'];
  const required = is.required && !was.required ? ['a body is required now'] : [];
  const types = Object.entries(was.content).flatMap(([type, { schema }]) => {
    const now = is.content[type];
    return now ? requestBreaks(schema, now.schema, 'body') : [`takes no ${type} any more`];
  });
  return [...required, ...types];
}

/** Returns codes that have moved to another status or were replaced by another code. */
function codeBreaks({ responses: was }: Operation, { responses: is }: Operation): string[] {
  return Object.entries(was).flatMap(([status, { codes: old = [] }]) => {
    const codes = is[status]?.codes ?? [];
    const added = codes.filter((code) => !old.includes(code));
    const gone = old.filter((code) => !codes.includes(code));
    return gone.flatMap((code) => {
      const elsewhere = Object.keys(is).find((it) => is[it]?.codes?.includes(code));
      if (elsewhere) return [`the code ${code} has the status ${elsewhere} where it had ${status}`];
      return added.length > 0 ? [`the code ${code} of ${status} became ${added.join(' or ')}`] : [];
    });
  });
}

/** Compares only successful responses, because the errors of an operation may change. */
function successBreaks({ responses: was }: Operation, { responses: is }: Operation): string[] {
  const good = Object.entries(was).filter(([status]) => status < '400');
  return good.flatMap(([status, { content = {} }]) => {
    const now = is[status];
    if (!now) return [`answers ${status} no more`];
    return Object.entries(content).flatMap(([type, { schema }]) => {
      const other = now.content?.[type];
      return other
        ? responseBreaks(schema, other.schema, `answer ${status}`)
        : [`answers ${status} no more as ${type}`];
    });
  });
}
