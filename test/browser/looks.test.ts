import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { hasBrowser, launchBrowser, visit } from '../browser.ts';
import { type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

/** A directory for screenshots, for those who want to look. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

describe.skipIf(!(await hasBrowser()))('in Chromium, light and dark, wide and narrow', () => {
  let site: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([serve(tempDir()), launchBrowser()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  const paths = ['/', '/sign-in', '/verify#token=x', '/reset#token=x', '/confirm-email#token=x'];
  const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
    [1280, 375].map((width) => ({ colorScheme, width })),
  );

  test.each(paths)(
    '%s has no accessibility violation and does not overflow',
    async (path) => {
      const { page, outside, errors } = await visit(browser);
      for (const { colorScheme, width } of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto('about:blank');
        await page.goto(site.url + path);
        await page.waitForLoadState('networkidle');
        const name = `${path.replaceAll(/\W+/g, '-')}-${colorScheme}-${width}.png`;
        if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, name) });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        const found = await page.evaluate(
          `${axe.source}; axe.run().then(({ violations, passes }) =>
            ({ violations: violations.map(({ id, nodes }) => [id, nodes.map((it) => it.html)]),
               checked: passes.length }))`,
        );
        expect(found).toMatchObject({ violations: [], checked: expect.any(Number) });
      }
      expect(outside).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    },
    60_000,
  );
});
