// The articles of the site's examples: what they say of their figures is so.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { layerTotals } from "../lib/traces.mjs";

const site = suite();

test("an article on capacity: four figures, two recorded, two live when they are reached", async (t) => {
  const { page, problems } = await openFigure(site, t, { path: "examples/capacity.html" });
  const [strip, load, lanes, loss] = ["strip", "load", "lanes", "loss"].map((id) => new Figure(page, `#${id}`));
  await strip.recorded();
  assert.ok((await strip.tokens.count()) > 10);
  await load.host.scrollIntoViewIfNeeded();
  await load.recorded();
  assert.match(await load.panel("load").locator(".finding").textContent(), /Expert \d gets \d/);
  await lanes.host.scrollIntoViewIfNeeded();
  await lanes.live();
  await lanes.capacityFactor.fill("0.5");
  const { layers } = await lanes.step(0, { after: 1 });
  const lost = layers.reduce((sum, { routing }) => sum + layerTotals(routing).lost, 0);
  assert.ok(lost > 0, "with less than an even share someone must lose");
  await loss.host.scrollIntoViewIfNeeded();
  await loss.live();
  await loss.panel("loss").locator("svg").first().waitFor();
  assert.deepEqual(problems, []);
});

test("a figure in a cell: imported from an address, and read by the cells after it", async (t) => {
  const { page, problems } = await openFigure(site, t, { path: "examples/cell.html" });
  const figure = new Figure(page);
  await figure.live();
  for (const name of ["figure", "requests", "layers"]) {
    const code = await page.locator(`#${name} code`).textContent();
    assert.match(code, new RegExp(`function\\*? ${name}\\(`), "the code that ran");
  }

  /** What the last cell says of a run, which has one step. */
  const said = async (after) => {
    const { run, layers } = await figure.step(0, { after });
    const totals = layers.map(({ routing }) => layerTotals(routing));
    const expected = totals.map(({ lost, requests }) => `${lost} of ${requests}`).join();
    await page.waitForFunction(
      (expected) => [...document.querySelectorAll("#layers li")].map((li) => li.textContent).join() === expected,
      expected,
    );
    return { run, expected };
  };
  const { run, expected } = await said(0);
  await figure.capacityFactor.fill("2");
  assert.notEqual((await said(run)).expected, expected, "other slots, other losses");
  assert.deepEqual(problems, []);
});
