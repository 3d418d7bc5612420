import { expect, test } from 'bun:test';
import { shellWord } from '../../src/utils/shell.ts';

test.each(['./data', '/var/lib/hutch', 'C:/data', 'a=b,c+d@e'])('%s needs no quotes', (word) => {
  expect(shellWord(word)).toBe(word);
});

test.each(['', 'my data', "it's", '$(id)', '`id`', 'a;b', 'a\nb', '~/data', '*', '"', '\\'])(
  'a shell reads %p as the one word that it is',
  async (word) => {
    const shell = Bun.spawn(['sh', '-c', `printf %s ${shellWord(word)}`], { stdout: 'pipe' });
    expect(await shell.stdout.text()).toBe(word);
  },
);
