import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { byteLines, withoutBom } from '../../src/utils/text/byte-lines.ts';

async function* inPieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size: number) {
  const lines = await Array.fromAsync(byteLines(withoutBom(inPieces(text, size)), 5));
  return lines.map(({ bytes }) => (bytes ? Buffer.from(bytes).toString() : null));
}

test('lines do not depend on the chunks of the stream, and none exceeds the limit', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'bc', '\n') });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (it, size, bom) => {
      const lines = it.split('\n').map((line) => (line.length > 5 ? null : line));
      if (lines.at(-1) === '') lines.pop();
      expect(await read(bom ? `\ufeff${it}` : it, size)).toEqual(lines);
    }),
  );
});
