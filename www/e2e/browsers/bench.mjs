// The same run again and again in one browser: `cargo xtask bench others`. What the first takes longer than the later
// ones is code that the browser has not made fast yet.

import { launch as launchChromium, newPage } from "../lib/browser.mjs";
import { number, summary } from "../lib/statistics.mjs";
import { launch } from "./browser.mjs";

const RUNS = 10;
/** Of so many, at the end, the median stands for "after a while". */
const LATER = 5;
const NEW_TOKENS = 48;

/** Chromium by the same three calls. */
async function chromium() {
  const browser = await launchChromium("cpu");
  const { page } = await newPage(browser, {});
  return {
    goto: (url) => page.goto(url),
    evaluate: (work, ...values) => page.evaluate(`(${work})(...${JSON.stringify(values)})`),
    close: () => browser.close(),
  };
}

const browser = await (process.env.MOE_BROWSER === "chromium" ? chromium() : launch());
try {
  await browser.goto(`${process.env.MOE_URL}#v=1&backend=cpu&max-tokens=${NEW_TOKENS}&group=decode-step`);
  const rates = await browser.evaluate(
    async (runs, newTokens) => {
      const figure = document.querySelector("moe-playground");
      await figure.load();
      const rates = [];
      for (let run = 0; run < runs; run += 1) {
        const began = performance.now();
        await figure.run("The small cat sat on");
        rates.push((1000 * newTokens) / (performance.now() - began));
      }
      return rates;
    },
    RUNS,
    NEW_TOKENS,
  );
  const [first, second, later] = [rates.slice(0, 1), rates.slice(1, 2), rates.slice(-LATER)].map(summary).map(number);
  console.log(`| ${process.env.MOE_BROWSER} | ${first} | ${second} | ${later} |`);
} finally {
  await browser.close();
}
