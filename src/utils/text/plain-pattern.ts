/** One step of a pattern: the characters that it matches, and how often. */
interface Step {
  takes(character: string): boolean;
  isOptional: boolean;
  repeats: boolean;
}

export type PlainPattern = readonly Step[];

/** Maximum steps after expanding `{n,m}`: the cost of matching one character. */
const MAX_STEPS = 256;
const MAX_LENGTH = 200;
const TOKEN =
  /(\\[dDwWsS]|\\[^\w\s]|\[(?:\\.|[^\\\]])+\]|[^\\[\](){}*+?|^$])([*+?]|\{\d{1,3}(?:,\d{0,3})?\})?/uy;

/**
 * Parses a plain regular expression: characters, `.`, `[classes]`, `\d`, `\w` and `\s`, each with `?`,
 * `*`, `+` or `{n,m}`. Without groups, alternatives and references, it matches in time linear in the
 * text. Returns undefined for any other expression.
 */
export function parsePattern(text: string): PlainPattern | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, atom, count = ''] = TOKEN.exec(text) ?? [];
    const takes = atom === undefined ? undefined : readAtom(atom);
    if (!takes) return undefined;
    const more = repeated(takes, count);
    if (!more || steps.length + more.length > MAX_STEPS) return undefined;
    steps.push(...more);
  }
  return steps;
}

/** True if the pattern matches the whole text. */
export function fitsPattern(pattern: PlainPattern, text: string): boolean {
  let places = reachable(pattern, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const place of places) {
      const step = pattern[place];
      if (step?.takes(character)) next.add(step.repeats ? place : place + 1);
    }
    places = reachable(pattern, next);
  }
  return places.has(pattern.length);
}

/** The regular expression engine only ever sees one character. */
function readAtom(atom: string): Step['takes'] | undefined {
  try {
    const expression = new RegExp(`^${atom}$`, 'u');
    return (character) => expression.test(character);
  } catch {
    return undefined;
  }
}

function repeated(takes: Step['takes'], count: string): Step[] | undefined {
  const once: Step = { takes, isOptional: false, repeats: false };
  const any: Step = { takes, isOptional: true, repeats: true };
  const maybe: Step = { takes, isOptional: true, repeats: false };
  if (count === '') return [once];
  if (count === '?') return [maybe];
  if (count === '*') return [any];
  if (count === '+') return [once, any];
  const [, least = '', comma, most = ''] = count.match(/^\{(\d+)(,?)(\d*)\}$/) ?? [];
  const needed = Array<Step>(Number(least)).fill(once);
  if (!comma) return needed;
  if (most === '') return [...needed, any];
  const rest = Number(most) - Number(least);
  return rest < 0 ? undefined : [...needed, ...Array<Step>(rest).fill(maybe)];
}

/** Adds the places that are reachable by skipping optional steps. */
function reachable(pattern: PlainPattern, places: Set<number>): Set<number> {
  // Iterating over a set includes the elements added on the way.
  for (const place of places) if (pattern[place]?.isOptional) places.add(place + 1);
  return places;
}
