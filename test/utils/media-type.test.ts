import { expect, test } from 'bun:test';
import { isJsonType, isUtf8, mediaTypeOf } from '../../src/utils/http/media-type.ts';

const isJsonContentType = (header: string | null) =>
  isJsonType(mediaTypeOf(header)) && isUtf8(header);

test.each([
  'application/json',
  'Application/JSON; charset=UTF-8',
  'application/problem+json;charset="utf-8"',
  'application/ld+json; profile="a"',
])('%s is JSON', (header) => {
  expect(isJsonContentType(header)).toBe(true);
});

test.each([
  null,
  '',
  'text/json',
  'text/html',
  'application/jsonp',
  'application/json, text/html',
  'application/+json',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
])('%s is not', (header) => {
  expect(isJsonContentType(header)).toBe(false);
});
