// Debian's Chromium, and what every page must keep to whatever is tested on it.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { Gateway } from './gateway.mjs';

// The packages are where cargo has built the pages, or beside the sources for whoever has run `npm ci` there.
const packages = createRequire(
  process.env.AETHER_UI_BUILD ? join(process.env.AETHER_UI_BUILD, 'package.json') : import.meta.url,
);
const { chromium } = packages('playwright-core');
const axe = packages('axe-core');

const SCREENSHOTS = process.env.AETHER_SCREENSHOTS ?? 'screenshots';

export class Browser {
  static async start() {
    const browser = new Browser();
    await mkdir(SCREENSHOTS, { recursive: true });
    browser.chromium = await chromium.launch({
      executablePath: process.env.AETHER_CHROMIUM ?? '/usr/bin/chromium',
      // It may run as root, and there is no network for what it would fetch by itself.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return browser;
  }

  /** A page of a new visitor. `faults` collects what no page may do. */
  async open(gateway, path = '/', { width = 1280, height = 900, dark = false } = {}) {
    const context = await this.chromium.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
    page.on(
      'console',
      (message) =>
        /Content Security Policy|Content-Security-Policy/.test(message.text()) && page.faults.push(message.text()),
    );
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== gateway.url) page.faults.push(`asked elsewhere: ${request.url()}`);
    });
    await page.goto(gateway.url + path);
    return page;
  }

  /** Ends what a test has opened, so that the next has the machine for itself. */
  async leave() {
    for (const context of this.chromium.contexts()) await context.close();
  }

  end() {
    return this.chromium.close();
  }
}

/** A gateway and a browser for the tests of a file; what a test has opened ends with it. */
export function stage() {
  const on = {};
  before(async () => {
    on.gateway = await Gateway.start();
    on.browser = await Browser.start();
  });
  afterEach(() => on.browser?.leave());
  after(async () => {
    await on.browser?.end();
    await on.gateway?.end();
  });
  return on;
}

/** Signs in by the button of a demo account. */
export async function signIn(page, email) {
  await page
    .getByRole('button')
    .filter({ has: page.getByText(email, { exact: true }) })
    .click();
}

export const live = (page) => page.locator('[data-connection=live]').waitFor();

export async function picture(page, name) {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: false });
}

/** No serious finding of axe, and nothing wider than the screen. */
export async function accessible(page, where) {
  // What is just arriving is seen through, which is no color of the page.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))),
  );
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map(({ id, impact, help, nodes }) => ({
    id,
    impact,
    help,
    at: nodes.slice(0, 3).map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
  console.log(`axe on ${where}: ${told.map(({ id, impact }) => `${id} (${impact})`).join(', ') || 'no finding'}`);
  const serious = told.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious, [], `axe on ${where}`);
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${where} is ${content} pixels wide on a screen of ${screen}`);
}
