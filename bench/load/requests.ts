export interface HttpRequest {
  method: string;
  path: string;
  token?: string;
  mediaType?: string;
  body?: string;
}

/** The form that the load generators read: a line a request, its parts separated by tabs. */
export function formatRequests(requests: HttpRequest[]): string {
  const line = ({ method, path, token = '', mediaType = '', body = '' }: HttpRequest) =>
    [method, path, token, mediaType, body].join('\t');
  return `${requests.map(line).join('\n')}\n`;
}

export function parseRequests(text: string): HttpRequest[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [method = '', path = '', token = '', mediaType = '', body = ''] = line.split('\t');
      return { method, path, token, mediaType, body };
    });
}

/** Numbers from 0 up to 1 that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
