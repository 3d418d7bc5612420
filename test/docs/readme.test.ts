import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { hutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

const root = join(import.meta.dir, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');
const operating = read('docs/operating.md');
const settings = read('.env.example');
const PAGES = ['*.md', 'docs/*.md', 'examples/*/*.md'].flatMap((glob) => [
  ...new Bun.Glob(glob).scanSync(root),
]);

const TEST_LINK = /\]\((\.\.\/)?test\/[\w/.-]+\.test\.ts\)/;

/** Sections in which each paragraph and list item is a promise with a link to its test. */
const PROMISES: [page: string, title: string][] = [
  ['README.md', 'What it guarantees'],
  ['docs/api.md', 'Items'],
  ['docs/api.md', 'Where v1 differs from the guide'],
  ['docs/accounts.md', 'Accounts'],
  ['docs/sources.md', 'Outside APIs'],
  ['docs/operating.md', 'What an operator still must do'],
  ['docs/reliability.md', 'In more words'],
];

describe('promises', () => {
  test.each(PROMISES)('in %s under "%s" each link to a test', (page, title) => {
    const promises = blocksOf(sectionOf(read(page), title));
    expect(promises.length).toBeGreaterThan(1);
    expect(promises.filter((it) => !TEST_LINK.test(it))).toEqual([]);
  });
});

describe('docs/operating.md', () => {
  test('each row of the settings links to a test', () => {
    const rows = sectionOf(operating, 'Settings').match(/^\| HUTCH_.+$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((row) => !TEST_LINK.test(row))).toEqual([]);
  });

  test('lists exactly the commands of hutch', async () => {
    const { stdout } = await hutch(['--help']);
    const commands = [...stdout.matchAll(/^ {2}(\w+(?: [\w-]+)?) {2,}/gm)].map(([, it]) => it);
    expect(commands.length).toBeGreaterThan(5);
    const [, list = ''] = /needs no other\]\S+:\n([^;]+);/.exec(operating) ?? [];
    const named = [...list.matchAll(/`(?:hutch )?([^`]+)`/g)].map(([, it]) => it);
    expect(named).toEqual(commands);
  });

  test('mentions only existing settings', () => {
    const named = [...operating.matchAll(/\bHUTCH_[A-Z]+(?:_[A-Z]+)*\b/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !settings.includes(`#${name}=`))).toEqual([]);
  });

  test('has the correct defaults of the settings', () => {
    const rows = [
      ...sectionOf(operating, 'Settings').matchAll(/^\| (HUTCH_[^|]+) \| ([^| ][^|]*) \|/gm),
    ];
    expect(rows.length).toBeGreaterThan(5);
    for (const [, names = '', defaults = ''] of rows) {
      const values = defaults.split(', ');
      const lines = names.split(', ').map((name, index) => `#${name}=${values[index]}`);
      expect(lines.filter((line) => !settings.includes(line))).toEqual([]);
    }
  });
});

describe('README.md', () => {
  test('has at most 120 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(121);
  });

  test('shows the output of its TypeScript example', async () => {
    await using server = await serve(tempDir());
    const account = { email: 'ada@example.com', username: 'ada', password: 'straw for seven' };
    await server.clientFor().v1.users.post(account);
    const token = await server.signIn('ada', account.password);
    await server.clientFor(token).v1.items.post({ title: 'A warm hutch' });
    const code = codeOf('ts')
      .replace('http://127.0.0.1:3000', server.url)
      .replace("'hutch-client'", `'${join(root, 'src/client.ts')}'`);
    const comments = [...code.matchAll(/\/\/ (.+)$/gm)].map(([, comment]) => comment);
    expect(comments).toHaveLength(2);
    const file = join(tempDir(), 'example.ts');
    await Bun.write(file, `const token = '${token}';\n${code}`);
    expect(plain(await outputOf(process.execPath, file))).toBe(plain(comments.join('\n')));
  }, 20_000);
});

test('each promise of docs/reliability.md links to a test', () => {
  const [, table = ''] = read('docs/reliability.md').split('| promise | tried by |\n');
  const [promises = ''] = table.split('\n\n');
  const rows = promises.split('\n').slice(1);
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter((row) => !TEST_LINK.test(row))).toEqual([]);
});

describe('the links of the documentation', () => {
  test('are found on the pages', () => {
    expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md']));
    expect(PAGES.flatMap(linksOf).length).toBeGreaterThan(50);
  });

  test.each(PAGES)('of %s lead to existing files and headings', (page) => {
    expect(linksOf(page).filter((link) => !isResolved(page, link))).toEqual([]);
  });
});

/** Returns the first code block in a language. */
function codeOf(language: string): string {
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(readme)?.[1] ?? '';
}

async function outputOf(...command: string[]): Promise<string> {
  return Bun.spawn(command, { stdout: 'pipe' }).stdout.text();
}

/** Returns a text without its times and layout. */
function plain(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/,?\s+/g, ' ')
    .trim();
}

/** Returns the text between a heading and the next one. */
function sectionOf(page: string, title: string): string {
  const start = page.indexOf(`# ${title}\n`);
  expect(start).toBeGreaterThanOrEqual(0);
  return page.slice(start + title.length + 3).split(/^#{2,} /m, 1)[0] ?? '';
}

/** Returns paragraphs and list items, except those that only introduce the next block. */
function blocksOf(section: string): string[] {
  return withoutCode(section)
    .split(/\n\s*\n|\n(?=- )/)
    .map((block) => block.trim())
    .filter((block) => block !== '' && !block.endsWith(':'));
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}

/** Returns the links to files of the repository and to headings. */
function linksOf(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)];
  return links.map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function isResolved(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
  if (relative(root, target).startsWith('..') || !existsSync(target)) return false;
  if (anchor === undefined) return true;
  return statSync(target).isFile() && anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
}

/** Returns the anchors that GitHub creates for headings. */
function anchorsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
