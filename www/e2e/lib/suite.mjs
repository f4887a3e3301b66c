// What every test file begins with: the site, and one browser, closed at the end.

import { after, before } from "node:test";

import { launch, newPage } from "./browser.mjs";
import { SITE_URL } from "./environment.mjs";

/** Opens a browser for a test file; `open(path, options, prepare)` gives a page, closed after its test. */
export function suite() {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  return {
    url: SITE_URL,
    /**
     * `t` is the test's context; `prepare(page)` runs before the page loads, for routes and scripts.
     *
     * @param {import("node:test").TestContext} t
     * @param {string} path
     * @param {{
     *   prepare?: (page: import("playwright-core").Page) => unknown
     * } & import("playwright-core").BrowserContextOptions} options
     */
    async open(t, path = "", { prepare, ...options } = {}) {
      const opened = await newPage(browser, options);
      t.after(opened.close);
      await prepare?.(opened.page);
      await opened.page.goto(new URL(path, SITE_URL).href);
      return opened;
    },
  };
}
