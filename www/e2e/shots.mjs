// Pictures of the page at every width and in both themes: `cargo xtask shots [options]`.
//
//   --out DIR        where to                                   (shots)
//   --path PATH      which page of the site                     (the first one)
//   --widths LIST    window widths in pixels                    (1440,768,390)
//   --themes LIST    colour schemes                             (light,dark)
//   --rung RUNG      webgpu or cpu                              (webgpu)
//   --wait EVENT     poster: before any script has run; mounted; ready: something to see; live: an engine   (ready)
//   --press KEYS     keys to press then, one after the other, as in "ArrowRight,d"
//   --full           the whole page, not only the window

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { elementState, launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";

const HEIGHTS = { 1440: 900, 768: 1024, 390: 844 };
/** How long a picture waits for its event before it is taken all the same. */
const PATIENCE_MS = { mounted: 15_000, ready: 15_000, live: 120_000 };

const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: "shots" },
    path: { type: "string", default: "" },
    widths: { type: "string", default: "1440,768,390" },
    themes: { type: "string", default: "light,dark" },
    rung: { type: "string", default: "webgpu" },
    wait: { type: "string", default: "ready" },
    press: { type: "string", default: "" },
    full: { type: "boolean", default: false },
  },
});

const browser = await launch(options.rung);
mkdirSync(options.out, { recursive: true });
try {
  for (const width of options.widths.split(",").map(Number)) {
    for (const colorScheme of options.themes.split(",")) await shoot(width, colorScheme);
  }
} finally {
  await browser.close();
}

async function shoot(width, colorScheme) {
  const viewport = { width, height: HEIGHTS[width] ?? 900 };
  const isPoster = options.wait === "poster";
  const { page, problems, close } = await newPage(browser, {
    viewport,
    colorScheme,
    hasTouch: width < 600,
    javaScriptEnabled: !isPoster,
  });
  if (!isPoster) await page.addInitScript(remember);
  await page.goto(new URL(options.path, SITE_URL).href);
  const reached = isPoster || (await arrives(page).catch(() => false));
  for (const key of options.press.split(",").filter(Boolean)) await page.keyboard.press(key);
  // Transitions take at most 300 ms.
  await page.waitForTimeout(400);
  const name = options.path.replace(/\.html$/, "").replace(/\W+/g, "-") || "page";
  const file = join(options.out, `${name}-${width}-${colorScheme}.png`);
  await page.screenshot({ path: file, fullPage: options.full });
  console.log(`${file}${reached ? "" : `   (not ${options.wait} within ${PATIENCE_MS[options.wait] / 1000} s)`}`);
  for (const problem of problems) console.log(`  ${problem}`);
  await close();
}

/** In the page: keeps what the element tells. */
function remember() {
  window.moeReady = [];
  addEventListener("moe-ready", (event) => window.moeReady.push(event.detail?.source ?? ""));
}

async function arrives(page) {
  page.setDefaultTimeout(PATIENCE_MS[options.wait]);
  if ((await elementState(page)) !== "mounted") return false;
  if (options.wait === "ready") await page.waitForFunction(() => window.moeReady.length > 0);
  if (options.wait === "live") {
    await page.waitForFunction(() => window.moeReady.some((source) => source.startsWith("live")));
  }
  return true;
}
