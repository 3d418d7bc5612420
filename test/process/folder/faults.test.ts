import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { newProject, notesSource } from './project.ts';

setDefaultTimeout(120_000);

const HELPER = `export const one = 1;\n`;

describe('a fault in a resource is reported with its place, status 1:', () => {
  test.each<[string, Record<string, string>, string, string]>([
    [
      'a syntax error',
      { 'resources/notes.ts': `export const a = 1;\nconst b = ;\n` },
      'resources/notes.ts:2:11: ',
      'const b = ;',
    ],
    [
      'an export that hutch does not have',
      {
        'resources/notes.ts': `import { flag, texd } from 'hutch';\n${notesSource()}console.log(flag, texd);\n`,
      },
      'resources/notes.ts:1:16: ',
      'texd',
    ],
    [
      'a missing package',
      {
        'resources/notes.ts': `import straw from '_straw';\n${notesSource()}console.log(straw);\n`,
      },
      'resources/notes.ts:1:19: ',
      '_straw',
    ],
    [
      'a missing file',
      {
        'resources/notes.ts': `import { one } from './lib/one.ts';\n${notesSource()}console.log(one);\n`,
      },
      'resources/notes.ts:1:21: ',
      './lib/one.ts',
    ],
    [
      'an export that another file does not have',
      {
        'resources/notes.ts': `${notesSource()}\nimport { two } from './lib/one.ts';\nconsole.log(two);\n`,
        'resources/lib/one.ts': HELPER,
      },
      'resources/notes.ts:12:10: ',
      'two',
    ],
    [
      'an error that is thrown while the file is loaded',
      { 'resources/notes.ts': `${notesSource()}\nthrow new Error('no straw');\n` },
      'resources/notes.ts:12:',
      'no straw',
    ],
    [
      'an option that names no column',
      { 'resources/notes.ts': notesSource(`search: ['titel'],`) },
      'resources/notes.ts:3:',
      'titel',
    ],
    [
      'a name of the core',
      { 'resources/notes.ts': notesSource().replace(`'notes'`, `'users'`) },
      'resources/notes.ts:3:',
      'reserved',
    ],
    [
      'a name that two files declare',
      { 'resources/more.ts': notesSource(), 'resources/notes.ts': notesSource() },
      'resources/notes.ts:3: ',
      'resources/more.ts',
    ],
    [
      'a file without a resource',
      { 'resources/notes.ts': notesSource(), 'resources/one.ts': HELPER },
      'resources/one.ts:1: ',
      'exports no resource',
    ],
  ])('%s', async (_, files, place, text) => {
    const project = newProject(files);
    const { stderr, status } = await project.run('types');
    expect(stderr).toContain(`hutch types: ${place}`);
    expect(stderr).toContain(text);
    expect(status).toBe(1);
  });

  test('several faults in one run', async () => {
    const project = newProject({
      'resources/notes.ts': `const a = ;\n`,
      'resources/tags.ts': `\nconst b = ;\n`,
    });
    const { stderr } = await project.run('types');
    expect(stderr).toContain('resources/notes.ts:1:11: ');
    expect(stderr).toContain('resources/tags.ts:2:11: ');
  });

  test('the server does not start', async () => {
    const project = newProject({ 'resources/notes.ts': `const b = ;\n` });
    const { stderr, status } = await project.run('serve', '--port', '0');
    expect(stderr).toStartWith('hutch serve: resources/notes.ts:1:11: ');
    expect(status).toBe(1);
    expect(await project.has('data/hutch.db')).toBe(false);
  });
});

describe('files that are no resources', () => {
  test('begin with _, end with .test.ts or .d.ts, or are in a folder', async () => {
    const project = newProject({
      'resources/_shared.ts': HELPER,
      'resources/lib/one.ts': HELPER,
      'resources/notes.test.ts': `import 'bun:test';\nthrow new Error('loaded');\n`,
      'resources/globals.d.ts': `declare const a: string;\n`,
      'resources/notes.ts': `import { one } from './_shared.ts';\nimport './lib/one.ts';\nexport const two = one + 1;\n${notesSource()}`,
    });
    const { stdout, stderr, status } = await project.run('types');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('  notes: ');
  });
});
