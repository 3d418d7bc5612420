import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { acceptsGzip } from '../../utils/http/negotiation.ts';
import { isCurrent } from './etag.ts';
import { addVary, type ResponseSet } from './response-set.ts';

export interface AssetOptions {
  /** Its content-type. */
  type: string;
  headers: Record<string, string>;
  /** Request headers by which the caller of the asset chose it. */
  vary?: string;
  open(): Blob;
}

export type Asset = (request: Request, set: ResponseSet) => Promise<Response>;

/** A smaller text takes about one packet, compressed or not. */
const MIN_GZIP_BYTES = 1024;
const TEXT = /^(text\/|application\/json|image\/svg)/;

/** Runs on a thread of the pool: the largest asset would block the event loop for 60 ms. */
const compress = promisify(gzip);

interface Representation {
  etag: string;
  body(): Blob;
  headers: Record<string, string>;
}

/**
 * Returns a handler that serves what `open` returns, read for each request and hashed once, and
 * responds with 304 to callers that have it. Texts are compressed once, for callers that accept
 * gzip. Every response has `headers`; unless they set cache-control, caches revalidate each time.
 */
export function createAsset({ type, headers: own, vary: chosenBy, open }: AssetOptions): Asset {
  let plain: Promise<Representation> | undefined;
  let gzipped: Promise<Representation> | undefined;
  const canCompress = TEXT.test(type) && open().size >= MIN_GZIP_BYTES;
  const vary = [chosenBy, canCompress && 'Accept-Encoding'].filter(Boolean).join(', ');
  const common = { 'cache-control': 'public, no-cache', ...own };
  return async (request, set) => {
    if (vary) addVary(set, vary);
    plain ??= plainOf(open);
    const isGzip = canCompress && acceptsGzip(request.headers.get('accept-encoding'));
    if (isGzip) gzipped ??= gzipOf(open(), plain);
    const { etag, body, headers: more } = await ((isGzip && gzipped) || plain);
    const headers = { ...common, etag };
    if (isCurrent(etag, request)) {
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
