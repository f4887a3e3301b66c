// Calm under load: what a large trace makes the page do, by counts that no busy machine changes. Nodes and shapes that are
// drawn, and nodes that are touched while a reader selects and scrolls.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure, recordedRun } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { defaultTrace, largeTrace } from "../lib/traces.mjs";

const site = suite();

/** A figure with a large imported run. */
async function openLarge(t, size, view) {
  const trace = largeTrace(await defaultTrace(site.url), size);
  const opened = await openFigure(site, t, {
    attributes: { view, backend: "recorded" },
    newTokens: null,
    prepare: (page) => recordedRun(page, trace),
  });
  await opened.figure.selected({});
  return { ...opened, trace };
}

/** Records of changes in the parts that match, by selector, while `act` is carried out and two frames are drawn. */
async function touched(page, selectors, act) {
  await page.evaluate((selectors) => {
    const { shadowRoot } = document.querySelector("moe-playground");
    window.moeTouched = Object.fromEntries(selectors.map((selector) => [selector, 0]));
    window.moeObserver = new MutationObserver((records) => {
      for (const { target } of records) {
        const element = target instanceof Element ? target : target.parentElement;
        for (const selector of selectors) window.moeTouched[selector] += element?.closest(selector) ? 1 : 0;
      }
    });
    window.moeObserver.observe(shadowRoot, { subtree: true, childList: true, attributes: true, characterData: true });
  }, selectors);
  await act();
  return page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    window.moeObserver.disconnect();
    return window.moeTouched;
  });
}

test("512 tokens × 8 layers × 64 experts: selecting redraws no stripe, scrolling nothing at all", async (t) => {
  const size = { tokens: 512, layers: 8, experts: 64 };
  const { page, figure, problems } = await openLarge(t, size, "strip layers lanes token load");
  await figure.tokens.nth(size.tokens - 1).waitFor();
  assert.equal(await figure.tokens.count(), size.tokens);
  const drawn = await figure.panel("layers").evaluate((panel) => ({
    sheets: panel.querySelectorAll(".stripe svg").length,
    nodes: panel.querySelectorAll("*").length,
    shapes: [...panel.querySelectorAll(".stripe [class^=cell]")].reduce(
      (sum, path) => sum + path.getAttribute("d").split("M").length - 1,
      0,
    ),
  }));
  assert.equal(drawn.sheets, (size.layers * size.tokens) / 32);
  assert.ok(drawn.nodes < 4000, `${drawn.nodes} nodes`);
  // A ground for each token in each layer, and the few experts that the gate sees something in.
  assert.ok(drawn.shapes < 4 * size.tokens * size.layers, `${drawn.shapes} shapes`);

  await figure.tokens.nth(3).click();
  await figure.selected({ token: 3 });
  const selecting = await touched(page, [".stripe", "moe-playground, .moe-container, .page"], async () => {
    await figure.tokens.nth(200).click();
    await figure.selected({ token: 200 });
  });
  assert.equal(selecting[".stripe"], 0, "no stripe is drawn again");
  const all = selecting["moe-playground, .moe-container, .page"];
  assert.ok(all < 2000, `${all} changes`);

  const scrolling = await touched(page, [".matrix"], () =>
    figure.panel("layers").evaluate(async (panel) => {
      const matrix = panel.querySelector(".matrix");
      for (let left = 0; left <= 4000; left += 400) {
        matrix.scrollLeft = left;
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  assert.equal(scrolling[".matrix"], 0, "scrolling is the browser's");
  assert.deepEqual(problems, []);
});

test("19,456 experts are one grid of a few nodes, which leads to each of them, and one table", async (t) => {
  const size = { tokens: 13, layers: 76, experts: 256 };
  const { page, figure, trace, problems } = await openLarge(t, size, "token experts");
  const panel = figure.panel("experts");
  await panel.getByText("All 19456 experts of the model at this step").first().waitFor();
  const field = panel.locator(".model-grid-field");
  const nodes = await field.evaluate((field) => field.querySelectorAll("*").length);
  assert.ok(nodes < 20, `${nodes} nodes`);
  const box = await field.boundingBox();
  assert.ok(box.width <= 1024 && box.height <= 456, `${box.width} × ${box.height}`);

  // A cell is four pixels wide and six high.
  const [layer, expert] = [40, 30];
  const choosing = await touched(page, [".model-grid-field > svg:first-child"], async () => {
    await field.click({ position: { x: expert * 4 + 2, y: layer * 6 + 3 } });
    await figure.selected({ layer });
  });
  assert.deepEqual(Object.values(choosing), [0], "the grid is not drawn again");
  assert.equal(await panel.locator(".expert-glyph[aria-pressed=true] b").textContent(), String(expert));

  await panel.getByRole("button", { name: /table/ }).click();
  const rows = panel.getByRole("table", { name: "Requests at this step, all experts" }).locator("tbody tr");
  assert.equal(await rows.count(), size.layers);
  const demand = new Array(size.experts).fill(0);
  for (const request of trace.steps[0].layers[layer].routing.assignments) demand[request.expert] += 1;
  const said = await rows.nth(layer).locator("td").last().textContent();
  assert.deepEqual(said.split(" ").map(Number), demand);
  assert.deepEqual(problems, []);
});
