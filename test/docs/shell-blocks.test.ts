import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageManager } from '../../package.json';
import { COMMAND, freePort } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import {
  patternOf,
  type ShellBlock,
  type Step,
  shellBlocks,
  unfencedCommands,
} from './shell-blocks.ts';

const root = join(import.meta.dir, '../..');
const PAGES = ['*.md', 'docs/*.md', 'examples/*/*.md'].flatMap((glob) => [
  ...new Bun.Glob(glob).scanSync(root),
]);
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const blocksOf = (page: string) => shellBlocks(page, textOf(page));
const isRun = ({ skip }: ShellBlock) => skip === undefined;

/** The time for a background block to print something and for the server to become ready. */
const READY_SECONDS = 30;
const END = '\u0001';

/** Creates the tools of a page: hutch runs the tested build, and npx the Bun of the clone. */
async function toolsIn(dir: string): Promise<string> {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const npx = `[ "$1 $2" = "-y ${packageManager}" ] || exit 64\nshift 2\nexec '${process.execPath}' "$@"`;
  const tools = { hutch: `exec '${COMMAND.join("' '")}' "$@"`, npx };
  for (const [name, script] of Object.entries(tools)) {
    await Bun.write(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Returns one script for all blocks of a page, which prints END and the status after each step. */
function scriptOf(blocks: readonly ShellBlock[], dir: string, ports: Ports): string {
  const parts = blocks.flatMap(({ isBackground, steps }, index) => {
    if (!isBackground) return steps.map(({ command }) => `${command}\nprintf '${END}%s${END}' $?`);
    const log = join(dir, `background-${index}`);
    const [step] = steps;
    return [
      `setsid sh -c ${quoted(step?.command ?? '')} >${log} 2>&1 &`,
      `pids="$pids $!"`,
      `for _ in $(seq ${READY_SECONDS * 10}); do [ -s ${log} ] && curl -sf -o ${dir}/ready http://127.0.0.1:${portOf(step)}/health/ready && break; sleep 0.1; done`,
      `[ -s ${log} ]; printf '${END}%s${END}' $?`,
    ];
  });
  const end = 'trap \'for pid in $pids; do kill -KILL -"$pid"; done\' EXIT';
  return withPorts(`${end}\n${parts.join('\n')}\n`, ports);
}

/** Ports in place of those that the pages use: 3000 by default, and 3001 for a second server. */
type Ports = Record<3000 | 3001, number>;

function portOf(step: Step | undefined): keyof Ports {
  return step?.command.includes('--port 3001') ? 3001 : 3000;
}

function withPorts(text: string, ports: Ports): string {
  return text.replaceAll(/(:|--port )(3000|3001)\b/g, (_, before, port: '3000' | '3001') => {
    return `${before}${ports[port]}`;
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs the blocks of a page in a clean environment; returns the output and status of each step. */
async function run(page: string) {
  const dir = tempDir();
  const ports: Ports = { 3000: freePort(), 3001: freePort() };
  const blocks = blocksOf(page).filter(isRun);
  const bin = await toolsIn(dir);
  const child = Bun.spawn(['sh', '-c', scriptOf(blocks, dir, ports)], {
    cwd: root,
    env: {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: dir,
      HUTCH_DATA_DIR: join(dir, 'data'),
      HUTCH_PORT: String(ports[3000]),
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  for (const port of Object.values(ports)) {
    await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
  }
  const parts = stdout.split(END);
  const results = blocks.flatMap(({ place, steps }) => steps.map((step) => ({ ...step, place })));
  return results.map(({ command, output, place }, index) => ({
    step: `${place} ${command}`,
    expected: output && withPorts(output, ports),
    printed: (parts[index * 2] ?? '').trim(),
    status: parts[index * 2 + 1],
    stderr,
  }));
}

describe('the shell blocks of the documentation', () => {
  test('are found, and most of them are run', () => {
    const blocks = PAGES.flatMap(blocksOf);
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.filter(isRun).length).toBeGreaterThan(blocks.length / 2);
    expect(blocks.flatMap(({ steps }) => steps).length).toBeGreaterThan(8);
  });

  test.each(PAGES)('of %s are fenced', (page) => {
    expect(unfencedCommands(textOf(page))).toEqual([]);
  });

  const pages = PAGES.filter((page) => blocksOf(page).some(isRun));
  const hasTools = Bun.which('curl') && Bun.which('setsid') && Bun.which('sh');
  test.skipIf(!hasTools).each(pages)(
    'of %s print the documented output',
    async (page) => {
      for (const { step, expected, printed, status, stderr } of await run(page)) {
        if (status !== '0')
          throw new Error(`${step}\nended with ${status}:\n${printed}\n${stderr}`);
        if (expected !== undefined) expect(printed, step).toMatch(patternOf(expected));
      }
    },
    120_000,
  );
});

describe('a shell block', () => {
  const parse = (text: string) => shellBlocks('a.md', text);

  test('is parsed into commands, their continuations and their output', () => {
    const text = '# A\n```console\n$ a \\\n    b\nout\n$ c\n```\n';
    expect(parse(text)).toEqual([
      {
        place: 'a.md:2',
        isBackground: false,
        skip: undefined,
        steps: [
          { command: 'a \\\n    b', output: 'out' },
          { command: 'c', output: '' },
        ],
      },
    ]);
  });

  test('that is not run has a reason', () => {
    expect(parse('```sh skip="needs Docker"\ndocker\n```')).toMatchObject([
      { skip: 'needs Docker' },
    ]);
    expect(() => parse('```sh skip\ndocker\n```')).toThrow('a.md:1');
    expect(() => parse('```console later\n$ a\n```')).toThrow('not later');
  });

  test('without a fence is found', () => {
    expect(unfencedCommands('Text:\n\n    bun run campaign\n')).toEqual(['bun run campaign']);
    expect(unfencedCommands('```sh\n\n    bun run campaign\n```\n')).toEqual([]);
  });

  test('matches anything with `…` and any time with a time', () => {
    const pattern = patternOf('{"id":1,"at":"2026-11-23T01:57:22.178Z",…}');
    expect('{"id":1,"at":"2027-01-01T00:00:00.000Z","more":"\n"}').toMatch(pattern);
    expect('{"id":2,"at":"2027-01-01T00:00:00.000Z","more":1}').not.toMatch(pattern);
    expect('{"id":1,"at":"soon","more":1}').not.toMatch(pattern);
  });
});
