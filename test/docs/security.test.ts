import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cellsOf, claimsOf, readProofs, withProofs } from './proofs.ts';

interface Row {
  numbers: string[];
  levels: string;
  how: string;
  proof: string;
}

/** The levels of the requirements of ASVS 5.0.0, by chapter and section; level 3 is last. */
const SECTIONS: Record<number, Record<number, string>> = {
  1: { 1: '22', 2: '111112222', 3: '11222222222', 4: '222', 5: '12' },
  2: { 1: '122', 2: '112', 3: '1222', 4: '2' },
  3: { 2: '11', 3: '1222', 4: '112222', 5: '11122', 7: '22' },
  4: { 1: '122', 2: '2', 3: '22', 4: '1222' },
  5: { 1: '2', 2: '112', 3: '11', 4: '222' },
  6: { 1: '122', 2: '111111112222', 3: '1122', 4: '1122', 5: '22222', 6: '222', 8: '2222' },
  7: { 1: '222', 2: '1111', 3: '22', 4: '11222', 5: '22', 6: '22' },
  8: { 1: '12', 2: '112', 3: '1', 4: '2' },
  9: { 1: '111', 2: '1222' },
  10: { 1: '22', 2: '22', 3: '2222', 4: '11111222222', 5: '22222', 6: '22', 7: '222' },
  11: { 1: '22', 2: '222', 3: '112', 4: '1222', 5: '2', 6: '2' },
  12: { 1: '122', 2: '11', 3: '2222' },
  13: { 1: '2', 2: '22222', 3: '22', 4: '12222' },
  14: { 1: '22', 2: '1222', 3: '122' },
  15: { 1: '122', 2: '122', 3: '1222222' },
  16: { 1: '2', 2: '22222', 3: '2222', 4: '222', 5: '222' },
  17: { 1: '2', 2: '2222', 3: '22' },
};

const REASON =
  /^(Documented: |By review: |Operator: |Not applicable: |Partly: |Not met\b).*\w.{14}/;
const FILE = /\b(?:src|test)\/[\w./-]+\.ts/g;

/** Matches a cell or paragraph with a link to a test or the reason why there is none. */
const PROVED = /\]\(\.\.\/test\/[\w./-]+\.test\.ts\)|\b(?:By review|Operator): [^|]{15}/;
/** The sections of rules, which come before the requirements of the standard. */
const RULES = ['Input', 'Limits', 'Passwords', 'Sign-in methods', 'Sessions'].concat([
  'Cookies and other origins',
  'Permissions',
  'Cryptography',
  'Data',
  'Outbound calls',
  'Costly work',
  'Logs',
  'Files',
  'Dependencies',
]);

const root = join(import.meta.dir, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const rows = page.split('\n').flatMap(rowOf);
const rules = page
  .split(/^## /m)
  .map(rulesOf)
  .filter(({ title }) => RULES.includes(title));
const files = [...page.matchAll(FILE)].map(([path]) => path);

describe('docs/security.md', () => {
  test('has each requirement of levels 1 and 2 once, in order', () => {
    const all = Object.entries(SECTIONS).flatMap(([chapter, sections]) =>
      Object.entries(sections).flatMap(([section, levels]) =>
        Array.from(levels, (_, index) => `${chapter}.${section}.${index + 1}`),
      ),
    );
    expect(all).toHaveLength(253);
    expect(rows.flatMap(({ numbers }) => numbers)).toEqual(all);
  });

  test('has the level of each requirement', () => {
    for (const { numbers, levels } of rows) {
      const own = new Set(numbers.map(levelOf));
      expect([numbers[0], levels]).toEqual([numbers[0], [...own].join(', ')]);
    }
  });

  test('links each requirement to a test, or has the reason why not', () => {
    const unproved = rows.filter(
      ({ proof }) => !proof.includes('](../test/') && !REASON.test(proof),
    );
    expect(unproved).toEqual([]);
  });

  test('describes the implementation of each requirement that only a test proves', () => {
    const unproved = rows.filter(({ how, proof }) => how === '' && !REASON.test(proof));
    expect(unproved).toEqual([]);
  });

  test('has all sections of rules, with tables and paragraphs', () => {
    const titles = rules.map(({ title }) => title);
    expect(titles).toEqual(RULES);
    expect(rules.flatMap((it) => it.rows).length).toBeGreaterThan(100);
    expect(rules.flatMap((it) => it.paragraphs).length).toBeGreaterThan(20);
  });

  test.each(rules)('proves each row of $title, or has the reason why not', ({ tables, rows }) => {
    expect(tables.map((header) => header.at(-1))).toEqual(tables.map(() => 'proof'));
    expect(rows.filter((cells) => !PROVED.test(cells.at(-1) ?? ''))).toEqual([]);
  });

  test.each(rules)(
    'proves each paragraph of $title, or has the reason why not',
    ({ paragraphs }) => {
      // A paragraph that ends with a colon introduces a table.
      const unproved = paragraphs.filter((it) => !it.endsWith(':') && !PROVED.test(it));
      expect(unproved).toEqual([]);
    },
  );

  test('has the correct default for each setting', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    const named = [...page.matchAll(/`(HUTCH_[A-Z0-9_]+)(=\w+)?`/g)];
    expect(named.length).toBeGreaterThan(30);
    const wrong = named.filter(
      ([, name, value]) =>
        !example.includes(`\n#${name}${value === undefined ? '=' : `${value}\n`}`),
    );
    expect(wrong.map(([text]) => text)).toEqual([]);
  });

  test('lists at its top all requirements that are not or partly met', () => {
    const [top = ''] = page.split('\n## ');
    const listed = [...top.matchAll(/\b\d+\.\d+\.\d+\b/g)].map(([number]) => number);
    const lacking = rows.filter(({ proof }) => /^(Partly|Not met)/.test(proof));
    const numbers = lacking.flatMap((row) => row.numbers);
    expect(listed.filter((it) => it !== '5.0.0').toSorted()).toEqual(numbers.toSorted());
  });

  test('refers only to existing files', () => {
    const missing = files.filter((path) => !existsSync(join(root, path)));
    expect([...new Set(missing)]).toEqual([]);
  });

  test('links to the tests that claim to prove it, as `bun run docs:proofs` writes them', async () => {
    const proofs = await readProofs();
    expect(proofs.size).toBeGreaterThan(250);
    expect(page).toBe(withProofs(page, proofs));
  });

  test('has a row or paragraph with a unique key for each proof', async () => {
    const keys = claimsOf(page).map(({ key }) => key);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    expect([...(await readProofs()).keys()].filter((key) => !keys.includes(key))).toEqual([]);
  });

  test('links only to sections that exist', () => {
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });
});

/** Splits a section of rules into the headers and rows of its tables and its paragraphs. */
function rulesOf(section: string) {
  const [title = '', ...blocks] = section.trim().split(/\n{2,}/);
  const isTable = (block: string) => block.startsWith('|');
  const tables = blocks.filter(isTable).map((block) => block.split('\n').map(cellsOf));
  return {
    title,
    tables: tables.map(([header = []]) => header),
    // Without the header and the line below it.
    rows: tables.flatMap((lines) => lines.slice(2)),
    paragraphs: blocks.filter((block) => !isTable(block)),
  };
}

function levelOf(number: string): string | undefined {
  const [chapter = 0, section = 0, index = 0] = number.split('.').map(Number);
  return SECTIONS[chapter]?.[section]?.[index - 1];
}

/** Parses a table row that begins with a number or a range; returns no row for other lines. */
function rowOf(line: string): Row[] {
  const cells = cellsOf(line);
  const [, prefix, first, last] = cells[0]?.match(/^(\d+\.\d+\.)(\d+)(?:–\1(\d+))?$/) ?? [];
  if (prefix === undefined) return [];
  expect(cells).toHaveLength(5);
  const count = Number(last ?? first) - Number(first) + 1;
  const numbers = Array.from({ length: count }, (_, it) => `${prefix}${Number(first) + it}`);
  const [, levels = '', , how = '', proof = ''] = cells;
  return [{ numbers, levels, how, proof }];
}
