import { createIsbotFromList, isbotPatterns, list } from 'isbot';

/**
 * Agents of apps and HTTP libraries. isbot takes them for bots because no browser says so little;
 * of an API they are the usual callers.
 */
const PROGRAMS = [
  'App',
  'App/1',
  'App/1.2.3',
  'App/1.2 (x)',
  'Bun/1.4.5',
  'curl/8.14.1',
  'Dart/3.5 (dart:io)',
  'Go-http-client/1.1',
  'Java/21.0.1',
  'node',
  'okhttp/4.12.0',
  'python-requests/2.32.3',
];

let isBotAgent: ((agent: string) => boolean) | undefined;

/** Whether a User-Agent says that it is a bot's: a crawler, a monitor, a maker of previews. */
export function isBot(agent: string | null): boolean {
  // Made at its first use: 10 ms of regular expressions are no part of a start.
  isBotAgent ??= createIsBotAgent();
  return agent !== null && isBotAgent(agent);
}

function createIsBotAgent() {
  const programs = new Set(PROGRAMS.flatMap((agent) => isbotPatterns(agent)));
  // Bots give the page that tells of them; of isbot's own pattern for it, okhttp is one.
  return createIsbotFromList([...list.filter((it) => !programs.has(it)), 'https?://']);
}
