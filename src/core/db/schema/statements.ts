import { isSign, isWord, type Token, tokensOf } from './tokens.ts';

/** A statement of a file, with the line on which it begins, from 1. */
export interface Statement {
  sql: string;
  line: number;
}

/** Splits SQL into statements; a trigger with its body is one. */
export function statementsOf(sql: string): Statement[] {
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  for (const token of tokensOf(sql)) {
    if (!isSign(token, ';')) tokens.push(token);
    else if (isInTrigger(tokens)) tokens.push(token);
    else {
      statements.push(...statementOf(sql, tokens));
      tokens = [];
    }
  }
  return [...statements, ...statementOf(sql, tokens)];
}

function statementOf(sql: string, tokens: readonly Token[]): Statement[] {
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (!first || !last) return [];
  const line = sql.slice(0, first.start).split('\n').length;
  return [{ sql: sql.slice(first.start, last.end), line }];
}

/** Returns true if the tokens begin a trigger whose body has not ended. */
function isInTrigger(tokens: readonly Token[]): boolean {
  const isTrigger =
    isWord(tokens[0], 'create') && tokens.slice(1, 3).some((it) => isWord(it, 'trigger'));
  if (!isTrigger) return false;
  let cases = 0;
  for (const token of tokens) {
    if (isWord(token, 'case')) cases++;
    if (!isWord(token, 'end')) continue;
    if (cases === 0) return false;
    cases--;
  }
  return true;
}
