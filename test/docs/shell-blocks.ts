/** A block of shell commands in a page. */
export interface ShellBlock {
  /** The position of its fence, for example README.md:25. */
  place: string;
  /** Runs until the page ends: a server, or a stream. */
  isBackground: boolean;
  /** The reason why it is not run. */
  skip: string | undefined;
  steps: Step[];
}

/** A command and its expected output; undefined if none is shown. */
export interface Step {
  command: string;
  output: string | undefined;
}

const FENCE = /^(`{3,})(\S*) *(.*)$/;
const SHELL = ['sh', 'console', 'bash', 'shell', 'shellsession', 'zsh'];

/**
 * Returns the shell blocks of a page. An `sh` block is one script whose output is not shown. In a
 * `console` block commands follow `$ `, continue on indented lines, and precede their output.
 * Throws for marks other than `background` and `skip="reason"`.
 */
export function shellBlocks(page: string, text: string): ShellBlock[] {
  const blocks: ShellBlock[] = [];
  let fence: { mark: string; language: string; info: string; line: number } | undefined;
  let lines: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (!fence) {
      const [, mark, language = '', info = ''] = FENCE.exec(line) ?? [];
      if (mark) fence = { mark, language, info, line: index + 1 };
      lines = [];
    } else if (line === fence.mark) {
      const { language, info } = fence;
      const place = `${page}:${fence.line}`;
      if (SHELL.includes(language)) blocks.push(blockOf(place, language, info, lines));
      fence = undefined;
    } else {
      lines.push(line);
    }
  }
  return blocks;
}

function blockOf(place: string, language: string, info: string, lines: string[]): ShellBlock {
  const [, skip] = /^skip="(.+)"$/.exec(info) ?? [];
  const isBackground = info === 'background';
  if (info !== '' && !isBackground && skip === undefined) {
    throw new Error(`${place}: a shell block is marked background or skip="reason", not ${info}`);
  }
  const steps = language === 'console' ? consoleSteps(lines) : scriptSteps(lines);
  return { place, isBackground, skip, steps };
}

function scriptSteps(lines: string[]): Step[] {
  return [{ command: lines.join('\n'), output: undefined }];
}

function consoleSteps(lines: string[]): Step[] {
  const steps: { command: string[]; output: string[] }[] = [];
  for (const line of lines) {
    const step = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: [line.slice(2)], output: [] });
    else if (line.startsWith('  ') && step?.output.length === 0) step.command.push(line);
    else step?.output.push(line);
  }
  return steps.map(({ command, output }) => ({
    command: command.join('\n'),
    output: output.join('\n'),
  }));
}

/** Returns the lines of indented code without a fence that look like shell commands. */
export function unfencedCommands(text: string): string[] {
  const withoutFences = text.replaceAll(/^(`{3,}).*?^\1$/gms, '');
  const lines = withoutFences.matchAll(
    /^\n {4}((?:\$ |bun |npx |hutch |curl |sqlite3 |\.ci\/).*)$/gm,
  );
  return [...lines].map(([, line = '']) => line);
}

/** Returns a pattern for the output of a step: `…` matches anything, and a time any time. */
export function patternOf(output: string): RegExp {
  const escaped = RegExp.escape(output.trim())
    .replaceAll(RegExp.escape('…'), '.*')
    .replaceAll(/\d{4}\\x2d\d\d\\x2d\d\dT\d\d\\x3a\d\d\\x3a\d\d\\\.\d{3}Z/g, '\\S{24}');
  return new RegExp(`^${escaped}$`, 's');
}
