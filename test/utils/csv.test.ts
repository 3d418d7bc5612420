import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type CsvRow, csvLine, csvRows, guarded, unguarded } from '../../src/utils/csv.ts';

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 65_536): Promise<CsvRow[]> {
  return Array.fromAsync(csvRows(inPieces(Buffer.from(text), size), 1000));
}

const textsOf = (rows: CsvRow[]) =>
  rows.map(({ cells }) => cells?.map((cell) => Buffer.from(cell).toString()));

describe('CSV', () => {
  test('is read as it was written, wherever it is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom(...'a",;\n\r \u{1f407}\'=') });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
        expect(textsOf(await read(rows.map(csvLine).join(''), size))).toEqual(rows);
      }),
    );
  });

  test('says on which line a row ends', async () => {
    const rows = await read('a\n"b\nc"\n\nd\r\n"e');
    expect(rows.map(({ line }) => line)).toEqual([1, 3, 5, 6]);
  });

  test('whose row is without end is given up in bounded memory', async () => {
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

test('a cell that was guarded is what it was when the guard is taken away', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...`'=+-@\t\r＝a `) }), (cell) => {
      expect(unguarded(guarded(cell))).toBe(cell);
      expect(guarded(cell)).not.toMatch(/^[=+\-@\t\r＝]/);
    }),
  );
});
