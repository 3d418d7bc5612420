import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  HEADER_VALUE,
  type PlainSource,
  requestOf,
} from '../../../src/services/sources/request.ts';
import { ParameterError } from '../../../src/services/sources/values.ts';

const text = (name: string) => ({ name, type: 'string', max_length: 2048 }) as const;

/** A source with a value in every possible place. */
const source: PlainSource = {
  base_url: 'https://api.example.com:443/base',
  method: 'POST',
  path: '/v1/{a}/x{b}/{a}{b}.json',
  query: { q: '{a}', fixed: '1', both: '{a}&{b}', key: { secret: 'hay&rack=1#/../' } },
  headers: { 'x-a': '{a}', 'x-key': { secret: 'hay' } },
  body: { q: '{a}', text: 'in {b}', deep: [{ b: '{b}' }] },
  parameters: [
    { ...text('a'), required: true },
    { ...text('b'), required: true },
  ],
  forward_headers: [],
};

/** Values that try to break out of their place. */
const hostile = fc.oneof(
  fc.constantFrom(
    ...[
      '..',
      '.',
      '%2e%2e',
      '%2f',
      '%2F..%2f',
      '../..',
      '..\\..',
      '/',
      '//evil.example',
      '\\\\evil',
    ],
    ...['?x=1', '&x=1', '#f', ';x', '@evil.example', ':80', 'a/../b', '%00', '\r\nHost: evil'],
    ...[
      '%',
      '%zz',
      '+',
      '{a}',
      '{{',
      '"',
      '"},"x":{"',
      '',
      ' ',
      '\u2025',
      '\uff0e\uff0e',
      '\u2215',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '\\', '%', '2', 'e', 'f', '?', '#', '&', '=', '@', ':'),
  }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);

function attempt(of: PlainSource, parameters: Record<string, string>) {
  try {
    return requestOf(of, { parameters, format: 'text' });
  } catch (error) {
    if (error instanceof ParameterError) return undefined;
    throw error;
  }
}

describe('for any values', () => {
  // proves: input.parameter-of-a-source, 1.2.2, 1.3.7
  test('scheme, host, port, segments and query names stay unchanged', () => {
    let sent = 0;
    const check = (of: PlainSource, a: string, b: string) => {
      const request = attempt(of, { a, b });
      if (!request) return;
      sent++;
      const url = new URL(request.url);
      expect(url.origin).toBe('https://api.example.com');
      expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
      const segments = url.pathname.split('/');
      expect(segments).toHaveLength(6);
      expect(segments.slice(0, 3)).toEqual(['', 'base', 'v1']);
      expect(segments.slice(3).map(decodeURIComponent)).toEqual([a, `x${b}`, `${a}${b}.json`]);
      expect([...url.searchParams]).toEqual([
        ['q', a],
        ['fixed', '1'],
        ['both', `${a}&${b}`],
        ['key', 'hay&rack=1#/../'],
      ]);
      for (const value of Object.values(request.headers)) expect(value).toMatch(HEADER_VALUE);
      expect(JSON.parse(request.body ?? '')).toEqual({ q: a, text: `in ${b}`, deep: [{ b }] });
    };
    const withoutHeaders = { ...source, headers: {} };
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        check(source, a, b);
        check(withoutHeaders, a, b);
      }),
      { numRuns: 5_000 },
    );
    expect(sent).toBeGreaterThan(1_000);
  });

  // proves: input.parameter-of-a-source
  test('a value that is not one segment is refused', () => {
    for (const a of ['..', '.', '', 'a/b', '..\\b', 'a\r\nb']) {
      const call = () => requestOf(source, { parameters: { a, b: 'b' }, format: 'text' });
      expect(call).toThrow(ParameterError);
    }
  });

  test('two values that form a dot segment together are refused', () => {
    const dots = { ...source, path: '/{a}{b}/end', headers: {} };
    expect(attempt(dots, { a: '.', b: '.' })).toBeUndefined();
    expect(attempt(dots, { a: '%2', b: 'e' })?.url).toStartWith(
      'https://api.example.com:443/base/%252e/end',
    );
  });

  test('a query accepts values that a path refuses', () => {
    const query = { ...source, path: '', headers: {} };
    const request = attempt(query, { a: '../x?y#z', b: '\n' });
    expect(new URL(request?.url ?? '').searchParams.get('both')).toBe('../x?y#z&\n');
  });
});

describe('a placeholder without a value', () => {
  test('is left out together with its field', () => {
    const parameters = [{ ...text('a'), required: true }, text('b')];
    const request = attempt({ ...source, path: '/{a}', parameters }, { a: 'x' });
    const url = new URL(request?.url ?? '');
    expect([...url.searchParams.keys()]).toEqual(['q', 'fixed', 'key']);
    expect(JSON.parse(request?.body ?? '')).toEqual({ q: 'x', deep: [{}] });
  });
});
