// At every width, with fonts that are wide, narrow or tall and with wide text spacing: no control is covered, no text
// lies over another, nothing stands out of its panel or is wider than the window.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure, recordedRun } from "../lib/figure.mjs";
import { addFonts, faults, LOOKS } from "../lib/layout.mjs";
import { suite } from "../lib/suite.mjs";
import { defaultTrace, largeTrace } from "../lib/traces.mjs";

const site = suite();

const WIDTHS = Array.from({ length: 65 }, (_, at) => 320 + 20 * at);

/** The window holds the widest figure, and the highest: what lies outside it is not seen. */
const WINDOW = { width: 1640, height: 30000 };

/** Settings that put the most words on the page: the longest formula, and all warnings. */
const WORDY = { "capacity-factor": "4", router: "top_k:8", policy: "bpr" };

/** @type {Record<string, Record<string, string>>} */
const FIGURES = {
  "the page": { view: "full" },
  "the page with its longest formula": { view: "full", ...WORDY },
  "the story": { view: "full", depth: "story" },
  "the lab": { view: "full", depth: "lab" },
  "the page in Chinese": { view: "full", lang: "zh" },
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
    // The sentences of another language come by themselves.
    await figure.host.locator(`.moe[lang|="${attributes.lang ?? "en"}"]`).waitFor();
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

/** What of the figure's module is higher than a figure of one panel is to be, and at which widths: their lists grow tall. */
const TALL = { lanes: [320, 480, 600], token: [320, 480, 600] };

test("a figure of one panel is drawn and at most 600 pixels high from 320 to 1300 pixels of width, but for those that are known", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    viewport: WINDOW,
    newTokens: null,
    attributes: { backend: "recorded", view: "strip" },
  });
  await figure.recorded();
  const found = {};
  for (const view of ["strip", "layers", "lanes", "token", "load", "loss", "counts"]) {
    await figure.host.evaluate((it, view) => it.setAttribute("view", view), view);
    await figure.panel(view).waitFor();
    for (const width of [320, 480, 600, 800, 1300]) {
      await page.evaluate((width) => (document.body.style.width = `${width}px`), width);
      const box = await figure.host.boundingBox();
      assert.equal(box.width, width);
      assert.ok(box.height > 150, `${view} at ${width}: ${box.height}`);
      if (box.height > 600) found[view] = [...(found[view] ?? []), width];
    }
  }
  assert.deepEqual(found, TALL);
  assert.deepEqual(problems, []);
});

test("the lane of one expert stands in no tall empty frame, and nothing is said of a rule", async (t) => {
  const dense = largeTrace(await defaultTrace(site.url), { tokens: 12, layers: 2, experts: 1, k: 1 });
  const { figure, problems } = await openFigure(site, t, {
    viewport: { width: 800, height: 900 },
    attributes: { backend: "recorded" },
    newTokens: null,
    prepare: (page) => recordedRun(page, dense),
  });
  const lanes = figure.panel("lanes");
  await lanes.getByText("there is nothing to route").waitFor();
  assert.equal(await lanes.getByText("Rule:").count(), 0);
  const room = await lanes.evaluate((panel) => {
    const bottoms = [...panel.querySelectorAll(".panel-body > *")].map((it) => it.getBoundingClientRect().bottom);
    return panel.getBoundingClientRect().bottom - Math.max(...bottoms);
  });
  assert.ok(room < 30, `${room} px below all that is in it`);
  assert.deepEqual(problems, []);
});

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
