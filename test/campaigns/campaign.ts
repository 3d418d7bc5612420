/** A trial of what Hutch promises, run with a budget: a small one in the tests, a full one by hand. */
export interface Campaign<O extends Options = Options> {
  /** One line for the overview. */
  summary: string;
  /** Each option with the budget of a full run. */
  options: O;
  /** Runs to its end; `say` takes progress lines. */
  run(options: O, say: (line: string) => void): Promise<Outcome>;
}

/** Numbers by name: what a command line can change. */
export type Options = Record<string, number>;

export interface Outcome {
  /** The measurements and counts, in the order of the output. */
  figures: Record<string, string | number>;
  /** Each broken promise, as a sentence. A campaign with any of them has failed. */
  losses: string[];
}

/** Types the options of a campaign by its defaults. */
export function campaign<O extends Options>(definition: Campaign<O>): Campaign<O> {
  return definition;
}

/**
 * Reads `--trials 300` and the like over the defaults. Throws an error for a name that the
 * campaign does not have and for a value that is no number.
 */
export function readOptions<O extends Options>(defaults: O, args: string[]): O {
  const options: Options = { ...defaults };
  for (let at = 0; at < args.length; at += 2) {
    const name = (args[at] ?? '').replace(/^--/, '');
    const value = Number(args[at + 1]);
    if (!(name in defaults)) throw new Error(`There is no option ${args[at]}.`);
    if (args[at + 1] === undefined || Number.isNaN(value)) throw new Error(`--${name} N`);
    options[name] = value;
  }
  return options as O;
}

/** Creates a generator of numbers from 0 to 1, deterministic by seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
