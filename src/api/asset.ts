export interface AssetOptions {
  /** Its content-type. */
  type: string;
  headers: Record<string, string>;
  open(): Blob;
}

export type Asset = (request: Request) => Promise<Response>;

/**
 * Answers with what `open` gives, read at each request and hashed at the first; 304 to whoever
 * has it. `headers` are on both; without a cache-control of theirs it is asked for each time.
 */
export function createAsset({ type, headers: own, open }: AssetOptions): Asset {
  let etag: string | undefined;
  return async (request) => {
    etag ??= `"${Bun.hash(await open().arrayBuffer()).toString(36)}"`;
    const headers = { 'cache-control': 'public, no-cache', ...own, etag };
    if (isFresh(request.headers.get('if-none-match'), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(open(), { headers: { ...headers, 'content-type': type } });
  };
}

function isFresh(ifNoneMatch: string | null, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}
