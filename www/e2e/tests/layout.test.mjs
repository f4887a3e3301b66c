// At every width, with fonts that are wide, narrow or tall and with wide text spacing: no control is covered, no text
// lies over another, nothing stands out of its panel or is wider than the window.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { addFonts, faults, LOOKS } from "../lib/layout.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const WIDTHS = Array.from({ length: 65 }, (_, at) => 320 + 20 * at);

/** The window holds the widest figure, and the highest: what lies outside it is not seen. */
const WINDOW = { width: 1640, height: 12000 };

/** Settings that put the most words on the page: the longest formula, and all warnings. */
const WORDY = { "capacity-factor": "4", router: "top_k:8", policy: "bpr" };

/** @type {Record<string, Record<string, string>>} */
const FIGURES = {
  "the page": { view: "full" },
  "the page with its longest formula": { view: "full", ...WORDY },
  "a figure of all panels": { view: "strip layers lanes token load loss counts" },
  "a figure in large text": { view: "strip layers lanes token load loss counts", style: "font-size: 24px" },
  "a figure that checks numbers": { view: "losses microscope block", microscope: "weights" },
};

for (const [what, attributes] of Object.entries(FIGURES)) {
  test(`${what}: nothing covers, overlaps or stands out at any width`, async (t) => {
    const { page, figure, problems } = await openFigure(site, t, {
      viewport: WINDOW,
      attributes: { backend: "recorded", ...attributes },
    });
    await figure.recorded();
    await addFonts(page);
    const found = [];
    for (const [name, look] of Object.entries(LOOKS)) {
      const faultsOfLook = await page.evaluate(faults, { look, widths: WIDTHS });
      found.push(...faultsOfLook.map((fault) => `${name}: ${fault}`));
    }
    assert.deepEqual(found, []);
    assert.deepEqual(problems, []);
  });
}

test("the looks that are measured differ from each other", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await addFonts(page);
  const widths = await page.evaluate(async (looks) => {
    const { shadowRoot } = document.querySelector("moe-playground");
    const topic = shadowRoot.querySelector(".moe-container .panel-lanes .topic span");
    const widths = [];
    for (const look of Object.values(looks)) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(look);
      shadowRoot.adoptedStyleSheets = [sheet];
      widths.push(topic.getBoundingClientRect().width);
    }
    return widths;
  }, LOOKS);
  assert.equal(new Set(widths).size, widths.length, `${widths}`);
});
