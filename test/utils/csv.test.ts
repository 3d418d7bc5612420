import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type CsvRow, csvLine, csvRows, guarded, unguarded } from '../../src/utils/text/csv.ts';

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 65_536): Promise<CsvRow[]> {
  return Array.fromAsync(csvRows(inPieces(Buffer.from(text), size), 1000));
}

const textsOf = (rows: CsvRow[]) =>
  rows.map(({ cells }) => cells?.map((cell) => Buffer.from(cell).toString()));

describe('CSV', () => {
  test('survives a round trip in any chunks', async () => {
    const cell = fc.string({ unit: fc.constantFrom(...'a",;\n\r \u{1f407}\'=') });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
        expect(textsOf(await read(rows.map(csvLine).join(''), size))).toEqual(rows);
      }),
    );
  });

  test('reports the line on which a row ends', async () => {
    const rows = await read('a\n"b\nc"\n\nd\r\n"e');
    expect(rows.map(({ line }) => line)).toEqual([1, 3, 5, 6]);
  });

  test('with an endless row is refused in bounded memory', async () => {
    let fed = 0;
    const source = async function* () {
      yield Buffer.from('a\n"');
      for (; fed < 1e9; fed += 65_536) yield new Uint8Array(65_536).fill(97);
    };
    const rows = await Array.fromAsync(csvRows(source(), 1000));
    expect(rows[1]).toMatchObject({ line: 2, problem: expect.stringContaining('too long') });
    expect(fed).toBeLessThan(3e6);
  });
});

const nasty = fc.string({ unit: fc.constantFrom(...`'=+-@\t\r\n＝a ;|,"\u00a0\ufeff\u200b`) });

describe('the guard of a cell', () => {
  test('is removed without a trace', () => {
    fc.assert(
      fc.property(nasty, (cell) => expect(unguarded(guarded(cell))).toBe(cell)),
      { numRuns: 5000 },
    );
  });

  // proves: files.no-uploaded-file-is-stored-or-served-as
  test('leaves no formula, whichever separator a program uses', () => {
    fc.assert(
      fc.property(nasty, fc.constantFrom(';', '\t', '|', '\n', '\r'), (cell, separator) => {
        expect(guarded(cell)).not.toMatch(/^[=+\-@\t\r\n＝]/);
        for (const part of guarded(cell).split(separator)) {
          expect(part.replace(/^[\s"\ufeff\u200b]+/, '')).not.toMatch(/^[=+\-@＝]/);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['a;=1+1', "a;'=1+1"],
    ['a; +1', "a;' +1"],
    ['\n=1', "'\n'=1"],
    [' =1', "' =1"],
    ['\u00a0=1', "'\u00a0=1"],
    ['\ufeff=1', "'\ufeff=1"],
    ['"=1"', '\'"=1"'],
    ['\ufe62' + '1', "'\ufe62" + '1'],
  ])('makes of %j %j', (cell, shown) => {
    expect(guarded(cell)).toBe(shown);
  });

  test.each(['a-b', 'a = b', '1 + 1', 'x@example.com', 'a, -5', 'a;b', '', "it's"])(
    'leaves %j as it is',
    (cell) => {
      expect(guarded(cell)).toBe(cell);
    },
  );
});
