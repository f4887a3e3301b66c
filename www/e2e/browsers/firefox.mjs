// Firefox, driven over WebDriver BiDi.

import { launch } from "puppeteer-core";

/**
 * A headless Firefox with one page.
 *
 * @param {string} program
 * @returns {Promise<import("./browser.mjs").Browser>}
 */
export async function firefox(program) {
  const browser = await launch({ browser: "firefox", executablePath: program, headless: true });
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  page.setDefaultTimeout(120_000);
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: (work, ...values) => page.evaluate(work, ...values),
    close: () => browser.close(),
  };
}
