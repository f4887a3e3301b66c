// What every test file begins with: one site and one browser, closed at the end.

import { after, before } from "node:test";

import { launch, newPage } from "./browser.mjs";
import { openSite } from "./site.mjs";

/** Opens site and browser for a test file; `open(path, options, prepare)` gives a page, closed after its test. */
export function suite() {
  const state = {};
  before(async () => {
    state.site = await openSite();
    state.browser = await launch();
  });
  after(async () => {
    await state.browser?.close();
    state.site?.close();
  });
  return {
    get url() {
      return state.site.url;
    },
    /** `t` is the test's context; `prepare(page)` runs before the page loads, for routes and scripts. */
    async open(t, path = "", { prepare, ...options } = {}) {
      const opened = await newPage(state.browser, options);
      t.after(opened.close);
      await prepare?.(opened.page);
      await opened.page.goto(new URL(path, state.site.url).href);
      return opened;
    },
  };
}
