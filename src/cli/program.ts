import { Help, InvalidArgumentError, Option, Command as Program } from 'commander';
import type { Setting } from '../core/config/setting.ts';
import { SETTINGS } from '../core/config/settings.ts';
import { VERSION } from '../core/version.ts';
import type { Command, Flag, Invocation } from './command.ts';

export const VERSION_LINE = `hutch ${VERSION} (bun ${Bun.version})`;

type Input = Omit<Invocation, 'abort'>;

/**
 * Returns the parser of the command line. It calls `start` with the named command. For wrong use it
 * prints the problem and throws CommanderError; it never exits the process.
 */
export function createProgram(
  commands: readonly Command[],
  start: (command: Command, input: Input) => Promise<void>,
): Program {
  const program = new Program('hutch')
    .description('Hutch: an API backend in one file.')
    .usage('COMMAND [options]')
    .version(VERSION_LINE, '-v, --version', 'Print the version.')
    .helpOption('-h, --help', 'Show this help.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(asSentence(text)) })
    .configureHelp({ formatHelp })
    .showHelpAfterError('\nSee hutch --help.')
    .addHelpText(
      'after',
      '\nSee hutch COMMAND --help for details. Settings are HUTCH_… variables; the binary reads no .env file.',
    );
  for (const command of commands) {
    const words = command.name.split(' ');
    const parent = words.length > 1 ? groupOf(program, words[0] as string) : program;
    addCommand(parent, words.at(-1) as string, command, start);
  }
  return program;
}

/** Prints the help of the command or group named by `words`. Throws CommanderError for an unknown name. */
export async function showHelp(program: Program, words: readonly string[]): Promise<void> {
  let command = program;
  for (const word of words) {
    if (command.commands.length === 0) break;
    const next = command.commands.find((it) => it.name() === word);
    // Parsing fails and suggests a name.
    if (!next) await program.parseAsync([...words], { from: 'user' });
    else command = next;
  }
  command.outputHelp();
}

/** Returns the group of commands with this name and creates it if necessary. */
function groupOf(program: Program, name: string): Program {
  const found = program.commands.find((it) => it.name() === name);
  if (found) return found;
  const group = program.command(name).usage('COMMAND [options]');
  return group.showHelpAfterError(`\nSee hutch ${name} --help.`);
}

function addCommand(
  parent: Program,
  word: string,
  command: Command,
  start: (command: Command, input: Input) => Promise<void>,
): void {
  const { name, operand, summary, help, settings, flags } = command;
  const description = `${summary}\n\n${help.replaceAll('\n', ' ')}`;
  const parser = parent.command(word).summary(summary).description(description);
  parser.usage(operand === undefined ? '[options]' : `[options] ${operand}`);
  parser.showHelpAfterError(`\nSee hutch ${name} --help.`);
  if (operand !== undefined) parser.argument(operand.startsWith('[') ? operand : `<${operand}>`);
  for (const key of settings) parser.addOption(settingOption(SETTINGS[key]));
  for (const [flag, spec] of Object.entries(flags)) parser.addOption(flagOption(flag, spec));
  parser.action(() => start(command, inputOf(parser)));
}

function settingOption({ flag, help, env, default: value }: Setting<unknown>): Option {
  return new Option(`--${flag} <value>`, `${help} [${env}, default ${String(value)}]`);
}

function flagOption(
  name: string,
  { value, help, isRequired = false, choices, parse }: Flag,
): Option {
  const option = new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, help);
  option.makeOptionMandatory(isRequired);
  if (choices) option.choices(choices);
  if (parse) option.argParser((text) => checked(parse(text), text));
  return option;
}

/** Returns `text` if it is valid. Throws InvalidArgumentError with the problem. */
function checked(parsed: ReturnType<NonNullable<Flag['parse']>>, text: string): string {
  if ('problem' in parsed) throw new InvalidArgumentError(`It ${parsed.problem}.`);
  return text;
}

function inputOf(parser: Program): Input {
  const flags: Record<string, string> = {};
  const switches = new Set<string>();
  for (const option of parser.options) {
    const value: unknown = parser.getOptionValue(option.attributeName());
    if (typeof value === 'string') flags[option.name()] = value;
    else if (value === true) switches.add(option.name());
  }
  return { flags, switches, operand: parser.args[0] };
}

/** Lists each command by its full name, also in the help of a group. */
function formatHelp(command: Program, helper: Help): string {
  const commands = { visibleCommands: leavesOf, subcommandTerm: fullName };
  return Help.prototype.formatHelp.call(helper, command, Object.assign(helper, commands));
}

function leavesOf({ commands }: { commands: readonly Program[] }): Program[] {
  return commands.flatMap((it) => (it.commands.length > 0 ? leavesOf(it) : [it]));
}

/** Returns the name of a command as it is typed after `hutch`. */
function fullName(command: Program): string {
  const { parent } = command;
  return parent?.parent ? `${fullName(parent)} ${command.name()}` : command.name();
}

function asSentence(text: string): string {
  const [first = '', ...rest] = text.replace(/^error: /, '');
  return first.toUpperCase() + rest.join('');
}
