import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { readModules } from './modules.ts';

/** A doc comment starts with a verb or a noun; these words begin a clause without a main verb. */
const DANGLING = /^(What|Who|Whose|Whom|Whoever|Of|As|How|Whether|Where)\b/;
const DOC_COMMENT = /\/\*\*(?:\s|\*(?!\/))*((?:[^*]|\*(?!\/))*)\*\//g;
/** Users are "they". */
const GENDERED = /\b(he|him|his)\b/gi;

/** Returns the faults of a source text with their lines. */
function faultsOf(path: string, source: string): string[] {
  const place = (index: number) => `${path}:${source.slice(0, index).split('\n').length}`;
  const comments = [...source.matchAll(DOC_COMMENT)]
    .filter(([, text = '']) => DANGLING.test(text))
    .map(({ index, 1: text = '' }) => `${place(index)} ${text.split('\n')[0]?.trim()}`);
  const words = [...source.matchAll(GENDERED)].map(
    ({ index, 0: word }) => `${place(index)} ${word}`,
  );
  return [...comments, ...words];
}

describe('the language of src', () => {
  test.each([
    '/** What a call returns. */',
    '/**\n * Whether it is open.\n */',
    '/** Of users. */',
    '// The user changes his password.',
    "throw new Error('He has no password');",
  ])('%j is a fault', (source) => {
    expect(faultsOf('src/a.ts', source)).toHaveLength(1);
  });

  test.each([
    '/** Returns what a call stored. */',
    '/** Ascending order. */',
    '/** Howto. */',
    '// What a line comment says may be a question of its own.',
    '// The user changes their password; this is history.',
  ])('%j is not a fault', (source) => {
    expect(faultsOf('src/a.ts', source)).toEqual([]);
  });

  test('starts doc comments with a verb or a noun, and refers to users as they', async () => {
    const modules = await readModules(join(import.meta.dir, '../..'), 'src');
    expect(modules.size).toBeGreaterThan(100);
    expect([...modules].flatMap(([path, source]) => faultsOf(path, source))).toEqual([]);
  });
});
