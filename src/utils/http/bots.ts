import { createIsbotFromList, isbotPatterns, list } from 'isbot';

/**
 * User agents of apps and HTTP libraries. isbot classifies them as bots because they are shorter than
 * any browser's; an API is usually called by them.
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

/** True if a User-Agent identifies a bot: a crawler, a monitor or a preview generator. */
export function isBot(agent: string | null): boolean {
  // Created on first use, because compiling the regular expressions takes 10 ms.
  isBotAgent ??= createIsBotAgent();
  return agent !== null && isBotAgent(agent);
}

function createIsBotAgent() {
  const programs = new Set(PROGRAMS.flatMap((agent) => isbotPatterns(agent)));
  // Bots name a page that describes them. isbot's own pattern for that also matches okhttp.
  return createIsbotFromList([...list.filter((it) => !programs.has(it)), 'https?://']);
}
