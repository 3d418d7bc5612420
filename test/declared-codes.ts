import type { AnyElysia } from 'elysia';

/** A schema of a problem, as src/schemas/problems.ts makes it. */
interface ProblemSchema {
  properties?: { code?: { enum: string[] } };
}

/**
 * Throws for a problem of v2 whose status or code its route does not declare, so that every test that
 * provokes a problem proves the document. A request for no route, or for one
 * without any declared response, is not judged.
 */
export function expectDeclaredCode(app: AnyElysia, request: Request, status: number, text: string) {
  const { pathname } = new URL(request.url);
  const { code } = JSON.parse(text) as { code: string };
  const routes = app.routes.filter(
    ({ method, path, hooks }) =>
      hooks.response !== undefined &&
      (method === request.method || (method === 'GET' && request.method === 'HEAD')) &&
      patternOf(path).test(pathname),
  );
  if (routes.length === 0 || code === 'method_not_allowed') return;
  const declared = routes.map(({ hooks }) => {
    const schema = (hooks.response as Record<number, ProblemSchema> | undefined)?.[status];
    return schema?.properties?.code?.enum ?? [];
  });
  if (declared.some((codes) => codes.includes(code))) return;
  throw new Error(
    `${request.method} ${pathname} answers ${status} ${code}, which it does not declare`,
  );
}

const patterns = new Map<string, RegExp>();

function patternOf(path: string): RegExp {
  const known = patterns.get(path) ?? new RegExp(`^${path.replace(/:\w+/g, '[^/]*')}/?$`);
  patterns.set(path, known);
  return known;
}
