/** The fields of a new item that the bare server checks. */
export interface ItemRequest {
  title: string;
  description?: string;
  url?: string | null;
}

const VALID_ID = /^[\w.-]{8,128}$/;

export function requestIdOf(request: Request): string {
  const given = request.headers.get('x-request-id');
  return given !== null && VALID_ID.test(given) ? given : crypto.randomUUID();
}

/** SHA-256 of the bearer token, hex; undefined when there is none. */
export function tokenHashOf(request: Request): string | undefined {
  const header = request.headers.get('authorization');
  return header?.startsWith('Bearer ') ? Bun.SHA256.hash(header.slice(7), 'hex') : undefined;
}

export function refused(request: Request, status: number, detail: string): Response {
  const headers = { 'x-request-id': requestIdOf(request) };
  return Response.json({ detail }, { status, headers });
}

export function notFound(request: Request, detail: string): Response {
  return refused(request, 404, detail);
}

export function isItemRequest(body: unknown): body is ItemRequest {
  if (typeof body !== 'object' || body === null) return false;
  const { title, description = '', url = null } = body as Record<string, unknown>;
  return (
    isText(title, 200) &&
    title.length > 0 &&
    isText(description, 10_000) &&
    (url === null || (isText(url, 2048) && URL.canParse(url)))
  );
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength && !value.includes('\0');
}
