/** A token of SQL text. Whitespace and comments are none. */
export interface Token {
  kind: 'word' | 'quoted' | 'text' | 'other';
  /** The name without quotes, or the token as written. */
  text: string;
  start: number;
  end: number;
}

/** Whitespace and comments, then in this order texts, quoted names, words and the rest. */
const TOKEN =
  /(\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|([xX]?'(?:[^']|'')*')|("(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?:\d[\w.]*|\.\d\w*|<>|[<>=!]=|\|\||<<|->>?|>>|[\s\S])/g;

/** Splits SQL into tokens. Never throws: unknown characters are tokens of their own. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const match of sql.matchAll(TOKEN)) {
    const [all, space, text, quote, word] = match;
    if (space !== undefined) continue;
    const kind = text ? 'text' : quote ? 'quoted' : word ? 'word' : 'other';
    const start = match.index;
    tokens.push({ kind, text: quote ? unquoted(all) : all, start, end: start + all.length });
  }
  return tokens;
}

/**
 * Returns SQL in a form in which equal definitions are equal texts: names without quotes, without
 * the name of their `table` and in lower case, one space between tokens. What the portable form of
 * a table replaces is undone.
 */
export function normalized(tokens: readonly Token[], table: string): string {
  const isQualified = (at: number) => tokens[at + 1]?.text === '.' && isNamed(tokens[at], table);
  const words = tokens.flatMap(({ kind, text }, at) => {
    if (isQualified(at) || (text === '.' && isQualified(at - 1))) return [];
    return [kind === 'word' || kind === 'quoted' ? text.toLowerCase() : text];
  });
  return words.join(' ').replace(/\blength \( cast \( (\S+) as blob \) \)/g, 'octet_length ( $1 )');
}

/** Returns the index of the parenthesis that closes the one at index `open`. */
export function closingOf(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isSign(tokens[at], '(')) depth++;
    if (isSign(tokens[at], ')') && --depth === 0) return at;
  }
  return tokens.length;
}

/** Returns true for the keyword or function `word`, which has no quotes. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toLowerCase() === word;
}

export function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'other' && token.text === sign;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isNamed(token: Token | undefined, name: string): boolean {
  const isName = token?.kind === 'word' || token?.kind === 'quoted';
  return isName && token.text.toLowerCase() === name.toLowerCase();
}

function unquoted(text: string): string {
  const end = text.at(-1) ?? '';
  return text.slice(1, -1).replaceAll(end + end, end);
}
