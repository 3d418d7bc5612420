import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { partsOf } from '../../utils/http/header-grammar.ts';

export interface AssetOptions {
  /** Its content-type. */
  type: string;
  headers: Record<string, string>;
  open(): Blob;
}

export type Asset = (request: Request) => Promise<Response>;

/** A smaller text is about one packet on the wire, compressed or not. */
const MIN_GZIP_BYTES = 1024;
const TEXT = /^(text\/|application\/json|image\/svg)/;

/** On a thread of the pool: the largest asset would block the event loop for 60 ms. */
const compress = promisify(gzip);

interface Representation {
  etag: string;
  body(): Blob;
  headers: Record<string, string>;
}

/**
 * Returns a handler that serves what `open` returns: read at each request, hashed at the first, and
 * 304 to callers that have it. Texts are compressed once for those that accept gzip. `headers` are
 * on every response; without a cache-control of theirs, caches ask each time.
 */
export function createAsset({ type, headers: own, open }: AssetOptions): Asset {
  let plain: Promise<Representation> | undefined;
  let gzipped: Promise<Representation> | undefined;
  const canCompress = TEXT.test(type) && open().size >= MIN_GZIP_BYTES;
  const vary = [own['vary'], canCompress && 'Accept-Encoding'].filter(Boolean).join(', ');
  const common = { 'cache-control': 'public, no-cache', ...own, ...(vary && { vary }) };
  return async (request) => {
    plain ??= plainOf(open);
    const isGzip = canCompress && acceptsGzip(request.headers.get('accept-encoding'));
    if (isGzip) gzipped ??= gzipOf(open(), plain);
    const { etag, body, headers: more } = await ((isGzip && gzipped) || plain);
    const headers = { ...common, etag };
    if (isFresh(request.headers.get('if-none-match'), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(body(), { headers: { ...headers, ...more, 'content-type': type } });
  };
}

async function plainOf(open: () => Blob): Promise<Representation> {
  const hash = Bun.hash(await open().arrayBuffer()).toString(36);
  return { etag: `"${hash}"`, body: open, headers: {} };
}

async function gzipOf(blob: Blob, plain: Promise<Representation>): Promise<Representation> {
  const bytes = await compress(await blob.arrayBuffer());
  const packed = new Blob([new Uint8Array(bytes)]);
  const { etag } = await plain;
  return {
    etag: etag.replace(/"$/, '-gzip"'),
    body: () => packed,
    headers: { 'content-encoding': 'gzip' },
  };
}

/** Whether an Accept-Encoding header names gzip with a weight above 0 (RFC 9110 12.5.3). */
function acceptsGzip(header: string | null): boolean {
  const codings = header?.toLowerCase().split(',') ?? [];
  return codings.some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(coding));
}

function isFresh(ifNoneMatch: string | null, etag: string): boolean {
  const tags = partsOf(ifNoneMatch, ',').map((tag) => tag.replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
