import { expect, test } from 'bun:test';
import {
  fillTemplate,
  namesIn,
  parseTemplate,
  type Template,
} from '../../src/utils/text/template.ts';

const parse = (text: string) => parseTemplate(text) as Template;

test('a value replaces each placeholder', () => {
  const template = parse('/v1/{city}/{day}-{city}');
  expect(namesIn(template)).toEqual(['city', 'day', 'city']);
  expect(fillTemplate(template, (name) => name.toUpperCase())).toBe('/v1/CITY/DAY-CITY');
});

test('a literal brace is doubled', () => {
  expect(fillTemplate(parse('{{a}} {b}'), () => '{c}')).toBe('{a} {c}');
});

test.each(['{', 'a}', '{A}', '{a b}', '{}', '{a', '{1}', '{__proto__}'])(
  '%s is not a template',
  (text) => {
    expect(parseTemplate(text)).toBeUndefined();
  },
);
