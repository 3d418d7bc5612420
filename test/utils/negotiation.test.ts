import { expect, test } from 'bun:test';
import { acceptsGzip, prefersHtml } from '../../src/utils/http/negotiation.ts';

test.each([
  [null, false],
  ['', false],
  ['gzip', true],
  ['GZIP', true],
  ['x-gzip', true],
  ['br, gzip;q=0.8', true],
  ['gzip;q=1.000', true],
  ['gzip ; q=0.001', true],
  ['*', true],
  ['br, *;q=0.1', true],
  ['deflate, br', false],
  ['gzip;q=0', false],
  ['gzip;q=0.', false],
  ['gzip;q=0.000', false],
  ['gzip;q=0, *', false],
  ['*;q=0', false],
  ['gzip, *;q=0', true],
  ['identity', false],
  ['identity, *', true],
  ['identity;q=0', false],
  ['identity;q=0, *;q=0.5', true],
  ['identity;q=0.5, gzip;q=1.0', true],
  ['gzip;q=0.5, identity', false],
  ['gzip;q=1.5', false],
  ['gzip;q=0.1234', false],
  ['gzip;q=-1', false],
  ['gzip;q=', false],
  ['gzipped', false],
])('whether the Accept-Encoding %p accepts gzip: %p', (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});

test.each([
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['text/html;level="a,b", application/json;q=0.1', true],
  ['Text/HTML;q=0.5, application/json', false],
  ['text/html;q=0.5 , */*;q=0.1', true],
  ['text/html;q=0', false],
  ['text/html;q=2, application/json', false],
  ['text/*, application/json;q=0.9', true],
  ['text/*, application/*', false],
  ['application/json, text/html', false],
  ['*/*', false],
  [',,', false],
  [null, false],
])('whether the Accept %p prefers HTML: %p', (accept, expected) => {
  expect(prefersHtml(accept)).toBe(expected);
});
