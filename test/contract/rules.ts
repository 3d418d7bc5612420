import type { Contract, Operation, Parameter } from './document.ts';
import { requestBreaks, responseBreaks } from './schema-rules.ts';

/**
 * What a client of `old` could not go on with: a sentence each, which begins with the operation.
 * Rules: what is removed, what is newly demanded, what is accepted less and what is answered
 * otherwise. An addition breaks nobody.
 *
 * Of problems, clients match the codes. A new code breaks nobody, because a client treats one that it
 * does not know by its status. A code may leave an operation whose error no longer occurs, but not for
 * another code or status, and not the whole API.
 */
export function breakingChanges(old: Contract, next: Contract): string[] {
  const changed = Object.entries(old).flatMap(([name, was]) => {
    const is = next[name];
    const found = is ? operationBreaks(was, is) : ['is gone'];
    return found.map((it) => `${name}: ${it}`);
  });
  const known = allCodes(next);
  const kept = Object.entries(old).filter(([name]) => name in next);
  const gone = [...allCodes(Object.fromEntries(kept))].filter((code) => !known.has(code));
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
    ...answerBreaks(was, is),
    ...codeBreaks(was, is),
  ];
}

/** Without any requirement, or with an empty one among them. */
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
    const demanded = now.required && !old.required ? [`${label} is required now`] : [];
    return [...demanded, ...requestBreaks(old.schema, now.schema, label)];
  });
  return [...added.map((it) => `${it.in} parameter ${it.name} is new and required`), ...changed];
}

function bodyBreaks({ requestBody: was }: Operation, { requestBody: is }: Operation): string[] {
  if (!was) return is?.required ? ['a body is required now'] : [];
  if (!is) return ['takes no body any more'];
  const demanded = is.required && !was.required ? ['a body is required now'] : [];
  const types = Object.entries(was.content).flatMap(([type, { schema }]) => {
    const now = is.content[type];
    return now ? requestBreaks(schema, now.schema, 'body') : [`takes no ${type} any more`];
  });
  return [...demanded, ...types];
}

/** Codes that an operation tells with another status, or that another code replaces. */
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

/** Of good answers: which errors there are may change. */
function answerBreaks({ responses: was }: Operation, { responses: is }: Operation): string[] {
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
