import { type Command, flagsOf, type Invocation, UsageError } from './command.ts';

/**
 * Reads `--flag value`, `--flag=value` and the one other word of a command that takes one.
 * Throws UsageError that names every wrong word.
 */
export function parseArgs(command: Command, args: string[]): Omit<Invocation, 'abort'> {
  const known = flagsOf(command);
  const flags: Record<string, string> = {};
  const problems: string[] = [];
  let operand: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] as string;
    const [, name, inline] = word.match(/^--([a-z-]+)(?:=(.*))?$/s) ?? [];
    if (command.operand && operand === undefined && !word.startsWith('--')) {
      operand = word;
      continue;
    }
    if (name === undefined || !(name in known)) {
      problems.push(`${word} is not a flag of hutch ${command.name}.`);
      continue;
    }
    const absent = command.switches?.includes(name) ? 'true' : undefined;
    const value = inline ?? (isValue(args[index + 1]) ? args[++index] : absent);
    if (value === undefined) problems.push(`--${name} needs a value.`);
    else flags[name] = value;
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { flags, operand };
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('--');
}
