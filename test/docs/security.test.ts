import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Row {
  numbers: string[];
  how: string;
  proof: string;
}

/** Requirements of levels 1 and 2 in ASVS 5.0.0, which come first in each section. */
const SECTIONS: Record<number, Record<number, number>> = {
  1: { 1: 2, 2: 9, 3: 11, 4: 3, 5: 2 },
  2: { 1: 3, 2: 3, 3: 4, 4: 1 },
  3: { 2: 2, 3: 4, 4: 6, 5: 5, 7: 2 },
  4: { 1: 3, 2: 1, 3: 2, 4: 4 },
  5: { 1: 1, 2: 3, 3: 2, 4: 3 },
  6: { 1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4 },
  7: { 1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2 },
  8: { 1: 2, 2: 3, 3: 1, 4: 1 },
  9: { 1: 3, 2: 4 },
  10: { 1: 2, 2: 2, 3: 4, 4: 11, 5: 5, 6: 2, 7: 3 },
  11: { 1: 2, 2: 3, 3: 3, 4: 4, 5: 1, 6: 1 },
  12: { 1: 3, 2: 2, 3: 4 },
  13: { 1: 1, 2: 5, 3: 2, 4: 5 },
  14: { 1: 2, 2: 4, 3: 3 },
  15: { 1: 3, 2: 3, 3: 7 },
  16: { 1: 1, 2: 5, 3: 4, 4: 3, 5: 3 },
  17: { 1: 1, 2: 4, 3: 2 },
};

const REASON =
  /^(Documented: |By review: |Operator: |Not applicable: |Partly: |Not met\b).*\w.{14}/;
const FILE = /\b((?:src|test)\/[\w./-]+\.ts)(?::((?: "[^"]+",?)+))?/g;

const root = join(import.meta.dir, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const rows = page.split('\n').flatMap(rowOf);
const files = [...page.matchAll(FILE)].map(([, path = '', quoted = '']) => ({
  path,
  sentences: [...quoted.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => sentence),
}));

describe('docs/security.md', () => {
  test('has each requirement of levels 1 and 2 once, in order', () => {
    const all = Object.entries(SECTIONS).flatMap(([chapter, sections]) =>
      Object.entries(sections).flatMap(([section, count]) =>
        Array.from({ length: count }, (_, index) => `${chapter}.${section}.${index + 1}`),
      ),
    );
    expect(all).toHaveLength(253);
    expect(rows.flatMap(({ numbers }) => numbers)).toEqual(all);
  });

  test('shows each by a test, or says why not', () => {
    const bare = rows.filter(({ proof }) => !proof.includes('test/') && !REASON.test(proof));
    expect(bare).toEqual([]);
  });

  test('says where each is done that a test alone shows', () => {
    const bare = rows.filter(({ how, proof }) => how === '' && !REASON.test(proof));
    expect(bare).toEqual([]);
  });

  test('names only files that are there', () => {
    const missing = files.map(({ path }) => path).filter((path) => !existsSync(join(root, path)));
    expect([...new Set(missing)]).toEqual([]);
  });

  test('quotes only what a test says', () => {
    const wrong = files.flatMap(({ path, sentences }) => {
      const file = join(root, path);
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return sentences.filter((it) => !text.includes(it)).map((it) => `${path}: ${it}`);
    });
    expect(wrong).toEqual([]);
  });

  test('leads only to sections that it has', () => {
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });
});

/** A line of a table that begins with a number, or with a first and a last one. */
function rowOf(line: string): Row[] {
  const cells = line.split(/\s*\|\s*/).slice(1, -1);
  const [, prefix, first, last] = cells[0]?.match(/^(\d+\.\d+\.)(\d+)(?:–\1(\d+))?$/) ?? [];
  if (prefix === undefined) return [];
  expect(cells).toHaveLength(5);
  const count = Number(last ?? first) - Number(first) + 1;
  const numbers = Array.from({ length: count }, (_, it) => `${prefix}${Number(first) + it}`);
  return [{ numbers, how: cells[3] ?? '', proof: cells[4] ?? '' }];
}
