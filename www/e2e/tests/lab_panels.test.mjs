// The panels that check numbers: losses, the routing microscope, and the drawing of a layer that leads to them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** Switch's loss, `E · Σ f_e · P_e`, of a layer of a trace: from its gate logits and first choices, in plain JavaScript. */
function switchLoss({ gate_logits: { num_experts: width, values }, routing }) {
  const numTokens = values.length / width;
  const [shares, means] = [new Array(width).fill(0), new Array(width).fill(0)];
  for (let token = 0; token < numTokens; token += 1) {
    const exponentials = values.slice(token * width, (token + 1) * width).map(Math.exp);
    const sum = exponentials.reduce((a, b) => a + b);
    for (const [expert, value] of exponentials.entries()) means[expert] += value / sum / numTokens;
  }
  for (const { rank, expert } of routing.assignments) if (rank === 0) shares[expert] += 1 / numTokens;
  return width * shares.reduce((sum, share, expert) => sum + share * means[expert], 0);
}

const number = (text) => Number(text.replace("−", "-"));

test("the losses on the screen are those of the trace, in every layer", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    newTokens: 1,
    attributes: { view: "losses", backend: "recorded", step: "0", layer: "0" },
  });
  await figure.recorded();
  const { steps } = await figure.trace();
  const row = figure.panel("losses").locator(".aux-loss").filter({ hasText: "Load balance (Switch)" });
  const shown = await row.locator(".aux-layers b").allTextContents();
  assert.equal(shown.length, steps[0].layers.length);
  for (const [at, layer] of steps[0].layers.entries()) {
    const expected = switchLoss(layer);
    assert.ok(Math.abs(number(shown[at]) - expected) < 6e-4, `layer ${at}: ${shown[at]} for ${expected}`);
  }
  assert.equal(await row.locator(".aux-value b").textContent(), shown[0]);
  await row.getByRole("button", { name: /^L2 / }).click();
  await figure.panel("losses").filter({ hasText: "Auxiliary losses · layer 2" }).waitFor();
  assert.equal(await row.locator(".aux-value b").textContent(), shown[2]);
  assert.match(await figure.panel("losses").locator(".finding").textContent(), new RegExp(`is ${shown[2]}, even use`));
  await figure.button("Auxiliary losses: show as table").click();
  const cells = await figure.panel("losses").locator("tr").filter({ hasText: "(Switch)" }).first().locator("td");
  assert.deepEqual((await cells.allTextContents()).slice(2), shown);
  assert.deepEqual(problems, []);
});

test("a decision is gone through by buttons and by keys, and the open step is in the state", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    newTokens: 1,
    attributes: { view: "microscope", backend: "recorded", microscope: "scores" },
  });
  await figure.recorded();
  const panel = figure.panel("microscope");
  const open = () => panel.locator('[aria-current="step"]').textContent();
  const state = () => figure.host.evaluate((it) => it.getState().microscope);
  assert.equal(await open(), "2Softmax");
  assert.equal(await state(), "scores");
  await figure.button("Next →").click();
  assert.equal(await open(), "3Choice");
  await figure.button("← Back").click();
  await figure.button("← Back").click();
  assert.equal(await open(), "1Gate logits");
  assert.ok(await figure.button("← Back").isDisabled());
  assert.equal(await state(), undefined, "the first step needs no words");

  const token = await panel.locator(".topic").textContent();
  await panel.locator('[aria-current="step"]').focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(await open(), "3Choice");
  assert.ok(await panel.locator('[aria-current="step"]').evaluate((it) => it.matches(":focus")));
  await page.keyboard.press("End");
  assert.match(await open(), /Proof$/);
  assert.equal(await panel.locator(".topic").textContent(), token, "the arrows were not the figure's");
  assert.equal(await state(), "proof");
  await figure.host.evaluate((it) => it.setState({ ...it.getState(), microscope: "weights" }));
  await panel.filter({ hasText: /y\s*=/ }).waitFor();
  assert.match(await open(), /Weights$/);
  assert.deepEqual(problems, []);
});

test("the router on the page decides as the model did, for every token of a live run", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    newTokens: 1,
    attributes: { view: "microscope", microscope: "proof", controls: "run" },
  });
  const { steps } = await figure.finished();
  const panel = figure.panel("microscope");
  const { tokens, layers } = steps.at(-1);
  for (let token = 0; token < tokens.length; token += 4) {
    for (let layer = 0; layer < layers.length; layer += 1) {
      await figure.host.evaluate((it, place) => it.seek(place), { step: steps.length - 1, token, layer });
      await panel.filter({ hasText: `token #${token} · layer ${layer}` }).waitFor();
      const verdict = await panel.locator(".micro-verdict").textContent();
      assert.match(verdict, /^Equal\. Largest difference of two weights: .*; allowed: 1\.00·10⁻⁵\.$/);
    }
  }
  assert.deepEqual(problems, []);
});

test("from the drawing of the layer the panels beside it open, on wide screens and on phones", async (t) => {
  for (const width of [1200, 390]) {
    const { page, figure, problems } = await openFigure(site, t, {
      viewport: { width, height: 700 },
      newTokens: 1,
      attributes: { view: "block lanes losses", backend: "recorded" },
    });
    await figure.recorded();
    const links = figure.panel("block").locator(".block-links button");
    assert.deepEqual(await links.allTextContents(), ["the experts’ slots", "what the losses say of that"]);
    await links.last().click();
    await page.waitForFunction(() => {
      const { shadowRoot } = document.querySelector("moe-playground");
      return shadowRoot.activeElement?.classList.contains("panel-losses");
    });
    const { y } = await figure.panel("losses").boundingBox();
    assert.ok(y > -2 && y < 700, `it is at ${y}`);
    assert.deepEqual(problems, []);
  }
});

test("the layer's drawing says what the trace says, and an expert in it is selected by a press", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    newTokens: 1,
    attributes: { view: "block token", backend: "recorded" },
  });
  await figure.recorded();
  const { header, steps } = await figure.trace();
  const { num_experts } = header.model;
  const { token, layer } = await figure.selection();
  const requests = steps[await figure.host.evaluate((it) => it.getState().step ?? 0)].layers[layer].routing.assignments;
  const served = requests.filter((request) => request.token === token && request.fate === "kept");
  const drawing = figure.panel("block").locator(".block-drawing");
  assert.equal(await drawing.locator(".expert").count(), num_experts);
  assert.deepEqual(
    (await drawing.locator(".is-served .name").allTextContents()).map(Number),
    served.map(({ expert }) => expert).sort((a, b) => a - b),
  );
  await drawing.locator(".expert").last().click();
  await figure
    .panel("token")
    .locator(".gate-row.is-selected")
    .filter({ hasText: `E${num_experts - 1}` })
    .waitFor();
  assert.deepEqual(problems, []);
});

test("a saved picture of these panels has their words and the bars of their fractions", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    newTokens: 1,
    attributes: { view: "losses block", backend: "recorded" },
  });
  await figure.recorded();
  const svg = await figure.host.evaluate(async (it) => (await it.toBlob("image/svg+xml")).text());
  for (const words of ["attention", "norm", "Load balance (Switch)", "even use: 1"]) {
    assert.ok(svg.includes(`>${words}<`), `nothing says ${words}`);
  }
  const fractions = await figure.host.locator(".moe-container mfrac").count();
  const bars = svg.match(/d="M[\d.-]+ [\d.-]+h[\d.]+v1h-[\d.]+z"/g) ?? [];
  assert.ok(fractions > 5 && bars.length >= fractions, `${bars.length} bars of ${fractions} fractions`);
  assert.deepEqual(problems, []);
});
