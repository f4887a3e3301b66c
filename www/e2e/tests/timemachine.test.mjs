// Routing time machine: the gates of earlier moments over the text on the screen, by the real engine and the shipped file.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** @param {string} text */
const share = (text) => Number.parseFloat(text) / 100;

/** Opens the panel and lets it ask. */
const asked = async (t, attributes = {}) => {
  const opened = await openFigure(site, t, {
    attributes: { view: "strip moments findings", controls: "run step", ...attributes },
    newTokens: 0,
  });
  const first = await opened.figure.finished();
  const panel = opened.figure.panel("moments");
  await panel.getByRole("button", { name: "Ask the gates of earlier moments" }).click();
  return { ...opened, panel, first };
};

/** The panel's two tables: rows of texts. */
const tables = async (panel) => {
  await panel.getByRole("button", { name: "Routing time machine: show as table" }).click();
  const rows = await panel
    .getByRole("table")
    .evaluateAll((tables) =>
      tables.map((table) =>
        [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((it) => it.textContent)),
      ),
    );
  await panel.getByRole("button", { name: "Routing time machine: show as picture" }).click();
  return rows;
};

test("the last moment routes as the model does, and the slider goes back to the first", async (t) => {
  const { page, figure, panel, problems } = await asked(t, { policy: "dropless" });
  await panel
    .getByText(/^20 moments of the gates, \d+ tokens of this text$/)
    .first()
    .waitFor();
  const slider = panel.getByRole("slider", { name: "Moment of the training" });
  assert.match(await slider.getAttribute("aria-valuetext"), /^after step 53 of 4800, 1\.1\s% of training$/);
  await slider.focus();
  await page.keyboard.press("End");
  await panel
    .locator(".finding")
    .filter({ hasText: /^The gates at the end, after step 4800 send 100\s%/ })
    .waitFor();
  const { steps } = await figure.trace();
  const [moments, tokens] = await tables(panel);
  assert.equal(moments.length, 20);
  assert.deepEqual(
    moments.map(([step]) => Number(step)).filter((step) => step === 0 || step === 4800),
    [0, 4800],
  );
  assert.ok(
    moments
      .at(-1)
      .slice(2)
      .every((cell) => share(cell) === 1),
    String(moments.at(-1)),
  );
  assert.ok(share(moments[0].at(-2)) < 0.6, String(moments[0]));
  // Today's routes are those of the run, in which nobody is turned away.
  const { layers } = steps.at(-1);
  for (const [token, [, , ...cells]] of tokens.entries()) {
    for (const [layer, cell] of cells.entries()) {
      const of = layers[layer].routing.assignments.filter((request) => request.token === token);
      const experts = of.map(({ expert }) => `E${expert}`).join(", ");
      assert.equal(cell, `${experts} (today ${experts})`);
    }
  }
  await slider.focus();
  await page.keyboard.press("Home");
  await panel
    .locator(".finding")
    .filter({ hasText: /^The gates before training send/ })
    .waitFor();
  assert.deepEqual(problems, []);
});

test("the file is fetched when it is asked for, and the finding of early routing is tried with it", async (t) => {
  const requested = [];
  const files = () => requested.filter((url) => url.endsWith("safetensors")).map((url) => url.split("/").at(-1));
  const { figure, problems } = await openFigure(site, t, {
    attributes: { view: "moments findings", controls: "run step" },
    newTokens: 0,
    prepare: (page) => page.context().on("request", (request) => requested.push(request.url())),
  });
  await figure.finished();
  assert.deepEqual(files(), ["weights.safetensors"]);
  const panel = figure.panel("moments");
  await panel.getByRole("button", { name: "Ask the gates of earlier moments" }).click();
  await panel
    .getByText(/^20 moments of the gates/)
    .first()
    .waitFor();
  assert.deepEqual(files(), ["weights.safetensors", "history.safetensors"]);
  const early = figure.panel("findings").locator(".findings-list li").last();
  const text = await early.textContent();
  assert.match(text, /(holds|does not hold) here.*after step 53 send .*after step 1915 of 4800/);
  const [, later] = text.match(/after step 1915 of 4800 ([\d.]+)\s%/);
  assert.equal(/decided early in trainingholds here/.test(text), Number(later) >= 80, text);
  assert.match(text, /Recorded: A token has 27\.8 % .* and 80\.1 % after 40 %/);
  assert.deepEqual(problems, []);
});

test("a model without a history says so, and which have one", async (t) => {
  const { panel, problems } = await asked(t, { model: "switch" });
  await panel
    .getByText(
      /This model has no file of the moments of its training.*default, global-batch, unbalanced, cosine and instruct/,
    )
    .first()
    .waitFor();
  assert.deepEqual(problems, []);
});
