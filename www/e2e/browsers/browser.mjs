// The browser under test, as far as these tests need one: it opens addresses, and does things in the page.

import { firefox } from "./firefox.mjs";
import { webkit } from "./webkit.mjs";

/**
 * `evaluate` calls a function in the page, with plain values; what it returns or resolves to comes back as plain data.
 *
 * @typedef {{
 *   goto: (url: string) => Promise<void>,
 *   evaluate: (work: (...values: any[]) => unknown, ...values: unknown[]) => Promise<any>,
 *   close: () => Promise<unknown>
 * }} Browser
 */

const KINDS = { firefox, webkit };

/** The browser that xtask names in MOE_BROWSER, at the program in MOE_PROGRAM. */
export function launch() {
  const start = KINDS[process.env.MOE_BROWSER ?? ""];
  if (!start) throw new Error("MOE_BROWSER is none of firefox and webkit: run this by `cargo xtask test others`");
  return start(process.env.MOE_PROGRAM);
}
