import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  foldWords,
  holdsWords,
  indexedPart,
  indexedWords,
  wordsIn,
} from '../../src/utils/text/words.ts';

/** Returns the words that SQLite indexes for a text. */
function tokenizer() {
  const client = new Database(':memory:');
  client.run(
    `create virtual table f using fts5(t, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')`,
  );
  client.run(`create virtual table v using fts5vocab('f', 'instance')`);
  return (text: string): string[] => {
    client.run('delete from f');
    client.prepare('insert into f (rowid, t) values (1, ?)').run(text);
    const rows = client.query('select term from v order by offset').all() as { term: string }[];
    return rows.map(({ term }) => term);
  };
}

/** Letters with combining marks. */
const CLUSTERS = '静 默 播 客 ん ガ ー 가 는 ท ที ที่ ก กำ ລ ລາ ខ ខ្ម ម န န် မြ'.split(' ');
const LETTERS = /[\p{L}\p{N}\p{Co}]+/gu;

describe('a text', () => {
  test.each([
    'A warm hutch',
    'Élan, naïve — “Straße” …',
    'Ελλαδα ΑΘΗΝΑ',
    'Привет мир',
    'שלום عالم',
    'किताब',
    'straw 🐇',
  ])('%p is indexed as it is', (text) => {
    expect(indexedWords(text)).toBeUndefined();
  });

  test.each([
    ['静默', '静 静默 默'],
    ['iPhone手机', 'iphone 手 手机 机'],
    ['ＡＢＣ ｶﾀ', 'abc カ カタ タ'],
    ['Ελλάδα', 'ελλαδα'],
    ['ﬁne', 'fine'],
    ['كِتَاب', 'كتاب'],
    ['葛\u{e0100}城', '葛 葛城 城'],
    ['가\u200b나', '가 가나 나'],
    ['ガギ', 'ガ ガギ ギ'],
  ])('%p is indexed as %p', (text, words) => {
    expect(indexedWords(text)?.replace(/ +/g, ' ').trim()).toBe(words);
  });

  test('that is indexed unchanged has the words of SQLite', () => {
    const tokens = tokenizer();
    const codes = Array.from({ length: 0x2060 }, (_, code) => String.fromCodePoint(code));
    const scripts =
      /[\p{sc=Latin}\u0391-\u03a1\u03a3-\u03c9\u0400-\u045f\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u06cc\u2010-\u205e]/u;
    const plain = codes.filter((it) => scripts.test(it) && !indexedWords(it));
    expect(plain.length).toBeGreaterThan(900);
    for (const text of plain) {
      expect([text, tokens(text)]).toEqual([text, foldWords(text).match(LETTERS) ?? []]);
    }
  });

  test('of any script has one indexed word for each word', () => {
    const tokens = tokenizer();
    const unit = fc.constantFrom(...CLUSTERS, ...'abéΕλά1 -ﾊ');
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const words = indexedWords(text);
        fc.pre(words !== undefined);
        expect(tokens(words ?? '')).toEqual((words ?? '').match(LETTERS) ?? []);
      }),
    );
  });
});

describe('a query', () => {
  test.each([
    ['warm hut', ['warm', 'hut*']],
    ['hut warm hut', ['hut*', 'warm']],
    ['h', ['h']],
    ['静', ['静']],
    ['静默', ['静默']],
    ['静默播', ['静默', '默播']],
    ['iPhone手机', ['iphone', '手机']],
    ['手机 iPhone', ['手机', 'iphone*']],
    ['αθήνα', ['αθηνα*']],
    ['ΕΛΛΆΣ', ['ελλασ*']],
    ['-- ,', []],
  ])('%p has the words %j', (query, words) => {
    expect(wordsIn(query).map(({ text, isStart }) => text + (isStart ? '*' : ''))).toEqual(words);
  });

  test('for a part of a text matches the index and the text', () => {
    const run = fc.array(fc.constantFrom(...CLUSTERS), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(run, fc.nat(), fc.nat(), (letters, from, length) => {
        const start = from % letters.length;
        const text = letters.join('');
        const part = letters.slice(start, start + 1 + (length % 5)).join('');
        const words = wordsIn(part);
        const indexed = new Set((indexedWords(text) ?? text).match(LETTERS));
        const isIndexed = words.every((word) => indexed.has(indexedPart(word.text)));
        return isIndexed && holdsWords(words)(foldWords(text));
      }),
      { numRuns: 1000 },
    );
  });
});
