import { type Command, flagsOf } from './command.ts';

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Hutch: an API backend in one file.

Usage: hutch COMMAND [FLAGS]

Commands:
${lines.join('\n')}

hutch COMMAND --help tells more. Settings are HUTCH_… variables; .env files are not read.`;
}

export function commandHelp(command: Command): string {
  const flags = Object.entries(flagsOf(command));
  const width = Math.max(0, ...flags.map(([name]) => name.length));
  const lines = flags.map(([name, help]) => `  --${name.padEnd(width)}  ${help}`);
  const list = lines.length > 0 ? `\n\nFlags:\n${lines.join('\n')}` : '';
  const operand = command.operand ? ` ${command.operand}` : '';
  return `Usage: hutch ${command.name}${operand}${lines.length > 0 ? ' [FLAGS]' : ''}

${command.summary}

${command.help}${list}`;
}
