import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Visit {
  page: Page;
  /** Every request for another host; each was refused. */
  outside: string[];
  /** Uncaught exceptions and console errors, which is where Chromium reports a refusal by CSP. */
  errors: string[];
}

/** True if a browser can be started. Installs Chromium first if possible. */
export async function hasBrowser(): Promise<boolean> {
  if (existsSync(CHROMIUM)) return true;
  if (process.getuid?.() !== 0 || !Bun.which('apt-get')) return false;
  for (const args of [['update'], ['install', '-y', 'chromium']]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = Bun.spawn(['apt-get', ...args], { env, stdout: 'ignore', stderr: 'ignore' });
    if ((await install.exited) !== 0) return false;
  }
  return existsSync(CHROMIUM);
}

/** Starts Chromium with a new, empty profile that is removed when it is closed. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

/** A new page, alone with its cookies, that can reach this machine and nothing else. */
export async function visit(browser: Browser): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const outside: string[] = [];
  const errors: string[] = [];
  await context.route(isOutside, async (route) => {
    outside.push(route.request().url());
    await route.abort();
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { page, outside, errors };
}

function isOutside({ protocol, hostname }: URL): boolean {
  return !['data:', 'blob:'].includes(protocol) && !['127.0.0.1', 'localhost'].includes(hostname);
}
