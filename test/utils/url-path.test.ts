import { expect, test } from 'bun:test';
import { urlPath } from '../../src/utils/url-path.ts';

test.each([
  ['http://localhost:3000/a/b?c=/d#e', '/a/b'],
  ['http://localhost/a#b?c', '/a'],
  ['http://localhost', '/'],
  ['http://a b/../?@#/x', '/../'],
])('the path of %s is %s', (url, path) => {
  expect(urlPath(url)).toBe(path);
});
