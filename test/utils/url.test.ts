import { expect, test } from 'bun:test';
import { isUnder, urlPath, urlQuery } from '../../src/utils/http/url.ts';

test.each([
  ['http://localhost:3000/a/b?c=/d', '/a/b', 'c=/d'],
  ['http://localhost/a#b?c', '/a#b', 'c'],
  ['http://localhost', '/', ''],
  ['http://a/b', '/b', ''],
  ['https://a/b?', '/b', ''],
  ['http://a/b?x=://y/z?', '/b', 'x=://y/z?'],
  ['http://[/b//c', '/b//c', ''],
])('%s has the path %s and the query %p', (url, path, query) => {
  expect([urlPath(url), urlQuery(url)]).toEqual([path, query]);
});

test.each([
  ['http://a/api/v2/x', true],
  ['http://a/x/api/v2/', false],
  ['http://a/?/api/v2/', false],
  ['http://a/api/v2', false],
])('%s is under /api/v2/: %p', (url, expected) => {
  expect(isUnder(url, '/api/v2/')).toBe(expected);
});
