import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
const PAGE = join(root, 'docs/security.md');

/** A row of a table, or a paragraph that ends with `Proof:`. */
export interface Claim {
  /** The name of the claim in tests: `6.2.1`, or its section and first words: `input.email`. */
  key: string;
  /** The index of the line that holds the proof. */
  line: number;
  /** The proof in words; empty if only tests prove it. */
  reason: string;
}

const LINK = String.raw`\[[^\]]*\]\(\.\./test/[^)]*\)`;
const LINKS = new RegExp(`(?:^|\\s)${LINK}(?:, ${LINK})*$`);

/** Returns the claims of the security page in order. */
export function claimsOf(page: string): Claim[] {
  let section = '';
  let opening = '';
  return page.split('\n').flatMap((text, line, lines) => {
    if (text.startsWith('## ')) section = slugOf(text.slice(3));
    if (text !== '' && lines[line - 1] === '') opening = text;
    if (text.startsWith('Proof:')) {
      const key = `${section}.${slugOf(titleOf(opening))}`;
      return [{ key, line, reason: reasonOf(text.slice('Proof:'.length)) }];
    }
    if (!isRow(text, lines[line + 1])) return [];
    const [first = '', ...rest] = cellsOf(text);
    const key = /^\d+\.\d+\.\d+/.exec(first)?.[0] ?? `${section}.${slugOf(first)}`;
    return [{ key, line, reason: reasonOf(rest.at(-1) ?? '') }];
  });
}

/** Excludes the header of a table and the line below it. */
const isRow = (text: string, next = '') =>
  text.startsWith('| ') && !text.startsWith('| -') && !next.startsWith('| -');

export const cellsOf = (row: string): string[] => row.split(/\s*\|\s*/).slice(1, -1);

const reasonOf = (cell: string) => cell.trim().replace(LINKS, '').trim();

/** Returns the bold words at the beginning of a paragraph, or else all of it. */
const titleOf = (paragraph: string) => /^\*\*([^*]+)\*\*/.exec(paragraph)?.[1] ?? paragraph;

/** Returns the first eight words, like `requests-in-10-s-of-an-address`. */
function slugOf(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 8).join('-');
}

/** Returns the test files with a line `// proves: <key>, <key>` by key. */
export async function readProofs(): Promise<Map<string, string[]>> {
  const proofs = new Map<string, string[]>();
  const paths = await Array.fromAsync(new Bun.Glob('test/**/*.test.ts').scan({ cwd: root }));
  for (const path of paths.sort()) {
    const source = await Bun.file(join(root, path)).text();
    for (const [, keys = ''] of source.matchAll(/^ *\/\/ proves: (.+)$/gm)) {
      for (const key of keys.split(', ')) {
        const files = proofs.get(key) ?? [];
        if (!files.includes(path)) proofs.set(key, [...files, path]);
      }
    }
  }
  return proofs;
}

/** Returns the page with links to the tests of each claim after its reason. */
export function withProofs(page: string, proofs: ReadonlyMap<string, string[]>): string {
  const lines = page.split('\n');
  for (const { key, line, reason } of claimsOf(page)) {
    const links = (proofs.get(key) ?? []).map(
      (path) => `[${path.slice('test/'.length, -'.test.ts'.length)}](../${path})`,
    );
    const proof = [reason, links.join(', ')].filter(Boolean).join(' ');
    const text = lines[line] ?? '';
    lines[line] = text.startsWith('Proof:')
      ? `Proof: ${proof}`
      : `| ${[...cellsOf(text).slice(0, -1), proof].join(' | ')} |`;
  }
  return lines.join('\n');
}

if (import.meta.main) {
  await Bun.write(PAGE, withProofs(await Bun.file(PAGE).text(), await readProofs()));
}
