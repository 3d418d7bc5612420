import type { Parsed } from '../core/config/setting.ts';
import type { SETTINGS } from '../core/config/settings.ts';

/** The parsed arguments of a command. */
export interface Invocation {
  /** The options with a value, of the command and of its settings. */
  flags: Record<string, string>;
  /** The given options without a value. */
  switches: ReadonlySet<string>;
  /** The argument, if the command takes one. */
  operand: string | undefined;
  /** Exits the process immediately. */
  abort(status: number): void;
}

/** An option of a command. */
export interface Flag {
  help: string;
  /** Name of the value in the help; without it the option is a switch. */
  value?: string;
  isRequired?: boolean;
  /** The allowed values; any if omitted. */
  choices?: readonly string[];
  /** Checks a value. The problem starts with a verb, such as `must be a number`. */
  parse?(text: string): Parsed<unknown>;
}

/** A command of the binary. */
export interface Command {
  /** The words of the command, such as `admin create`. */
  name: string;
  /** Name of the argument in the help, if the command takes one; in brackets if it is optional. */
  operand?: string;
  summary: string;
  /** Shown by --help below the summary. */
  help: string;
  /** Options of the command, in addition to those of its settings. */
  flags: Record<string, Flag>;
  /** The settings that are also options of the command. */
  settings: (keyof typeof SETTINGS)[];
  /** True for a command that serves: it handles signals and unread output itself. */
  isServer?: true;
  /** Resolves to the exit status. */
  run(invocation: Invocation): Promise<number>;
}

/** Name of an argument that is an account's id, email or username. */
export const ACCOUNT = 'ACCOUNT';

/** Returns the argument of a command that takes one. */
export function operandOf({ operand = '' }: Invocation): string {
  return operand;
}

/** Wrong use of a command, one problem per line. The exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
