import { partsOf } from './header-grammar.ts';

const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * True if an Accept header (RFC 9110, 12.5.1) prefers HTML to JSON, as browsers do when they open a
 * page. Most programs accept anything or JSON.
 */
export function prefersHtml(accept: string | null): boolean {
  const ranges = weightsIn(accept);
  const html = weightOf(['text/html', 'text/*', '*/*'], ranges) ?? 0;
  return html > (weightOf(['application/json', 'application/*', '*/*'], ranges) ?? 0);
}

/** True if an Accept-Encoding header (RFC 9110, 12.5.3) accepts gzip, and not less than no coding. */
export function acceptsGzip(acceptEncoding: string | null): boolean {
  const codings = weightsIn(acceptEncoding);
  const gzip = weightOf(['gzip', 'x-gzip', '*'], codings) ?? 0;
  return gzip > 0 && gzip >= (codings.get('identity') ?? 0);
}

/** Returns the weight of each name in a header; 0 if it cannot be read. Parameters are ignored. */
function weightsIn(header: string | null): ReadonlyMap<string, number> {
  return new Map(
    partsOf(header?.toLowerCase() ?? null, ',').map((part) => {
      const [name = '', ...parameters] = partsOf(part, ';');
      const weight = parameters.find((it) => it.startsWith('q='))?.slice(2) ?? '1';
      return [name, WEIGHT.test(weight) ? Number(weight) : 0];
    }),
  );
}

/** Returns the weight of the first of `names`, from specific to general, that a header has. */
function weightOf(names: string[], weights: ReadonlyMap<string, number>): number | undefined {
  return names.map((name) => weights.get(name)).find((weight) => weight !== undefined);
}
