import { type Command, flagsOf, UsageError } from './command.ts';

/** Reads `--flag value` and `--flag=value`. Throws UsageError that names every wrong word. */
export function parseFlags(command: Command, args: string[]): Record<string, string> {
  const known = flagsOf(command);
  const flags: Record<string, string> = {};
  const problems: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const [, name, inline] = args[index]?.match(/^--([a-z-]+)(?:=(.*))?$/s) ?? [];
    if (name === undefined || !(name in known)) {
      problems.push(`${args[index]} is not a flag of hutch ${command.name}.`);
      continue;
    }
    const value = inline ?? (isValue(args[index + 1]) ? args[++index] : undefined);
    if (value === undefined) problems.push(`--${name} needs a value.`);
    else flags[name] = value;
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return flags;
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('--');
}
