import { expect, test } from 'bun:test';
import { contentCodings } from '../../src/utils/http/content-coding.ts';
import { entityTagsOf, partsOf, unquoted } from '../../src/utils/http/header-grammar.ts';
import { isIdentity, isUtf8 } from '../../src/utils/http/media-type.ts';

test.each([
  [null, []],
  ['', []],
  [' , ,', []],
  ['a', ['a']],
  [' a ,\tb', ['a', 'b']],
  ['"a,b", c', ['"a,b"', 'c']],
  ['"a\\",b", c', ['"a\\",b"', 'c']],
  ['W/"1",*', ['W/"1"', '*']],
  ['"never closed, c', ['"never closed, c']],
])('the list %p has the parts %p', (header, parts) => {
  expect(partsOf(header, ',')).toEqual(parts);
});

test.each([
  ['a', 'a'],
  [' "a" ', 'a'],
  ['"a\\"b"', 'a"b'],
  ['"utf\\-8"', 'utf-8'],
  ['"a', '"a'],
])('%p is %p without quotes', (value, text) => {
  expect(unquoted(value)).toBe(text);
});

test.each([
  [null, true],
  ['application/json', true],
  ['application/json;', true],
  ['application/json; ;charset=UTF-8', true],
  ['application/json; CHARSET="utf\\-8"', true],
  ['application/json; x="a;charset=latin1"', true],
  ['application/json; charset=utf8', true],
  ['application/json; charset = latin1', false],
  ['application/json; charset="latin1"', false],
  ['application/json; charset=utf-8; charset=latin1', false],
  ["application/json; charset='utf-8'", false],
  ['application/json; charset=', false],
])('whether %p is UTF-8: %p', (header, expected) => {
  expect(isUtf8(header)).toBe(expected);
});

test.each([
  [null, true],
  ['', true],
  ['Identity', true],
  ['identity, ,identity', true],
  ['gzip', false],
  ['identity, gzip', false],
  ['utf-8', false],
])('whether a request in the coding %p is as it is: %p', (header, expected) => {
  expect(isIdentity(header)).toBe(expected);
});

test.each([
  [null, []],
  ['GZIP', ['gzip']],
  ['x-gzip', ['gzip']],
  ['aws-chunked, gzip', ['gzip']],
  ['br,gzip', ['br', 'gzip']],
  ['none', []],
])('a response in the coding %p has %p', (header, codings) => {
  expect(contentCodings(header)).toEqual(codings);
});

test.each([
  [null, []],
  ['', []],
  ['"a"', ['"a"']],
  ['"a","b"', ['"a"', '"b"']],
  [' ,"a" ,, W/"b",', ['"a"', 'W/"b"']],
  ['"a,b", "c"', ['"a,b"', '"c"']],
  ['"a\\", "b"', ['"a\\"', '"b"']],
  ['"", "a"', ['""', '"a"']],
  ['*', []],
  ['a', []],
  ['"a', []],
  ['w/"a"', []],
  ['W/ "a"', []],
  ['"a" "b"', []],
  ['"a", b, "c"', ['"a"']],
])('the header %p has the entity tags %p', (header, tags) => {
  expect(entityTagsOf(header)).toEqual(tags);
});
