import type { Contract, Operation, Parameter } from './document.ts';
import { requestBreaks, responseBreaks } from './schema-rules.ts';

/**
 * What a client of `old` could not go on with: a sentence each, which begins with the operation.
 * Rules: what is removed, what is newly demanded, what is accepted less and what is answered
 * otherwise. An addition breaks nobody.
 */
export function breakingChanges(old: Contract, next: Contract): string[] {
  return Object.entries(old).flatMap(([name, was]) => {
    const is = next[name];
    const found = is ? operationBreaks(was, is) : ['is gone'];
    return found.map((it) => `${name}: ${it}`);
  });
}

function operationBreaks(was: Operation, is: Operation): string[] {
  return [
    ...(isOpen(was) && !isOpen(is) ? ['needs a token now'] : []),
    ...parameterBreaks(was.parameters ?? [], is.parameters ?? []),
    ...bodyBreaks(was, is),
    ...answerBreaks(was, is),
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
