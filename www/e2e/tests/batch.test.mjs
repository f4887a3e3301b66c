// Several texts in step: they share slots, one of them loses, and the panel says to whom; alone it loses nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const LAB = { view: "strip batch", controls: "run step", "capacity-factor": "0.5" };

/** Both begin alike, so that the second asks the experts whose slots the first one has. */
const TEXTS = ["The cat sat on the mat", "The cat sat on the mat, and then it was"];

/** Keeps the steps of batches that the worker posts, by the number of their run. */
function listen() {
  window.moeBatches = {};
  const take = ({ data }) => {
    // Steps come several at once, as text.
    if (typeof data !== "string") return;
    for (const { step } of JSON.parse(data)) {
      const { trace } = step;
      if (!trace.sequences) continue;
      window.moeBatches[trace.run] ??= [];
      window.moeBatches[trace.run].push(trace);
    }
  };
  const { Worker } = window;
  window.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      this.addEventListener("message", take);
    }
  };
}

/** The texts (numbered from 1) that ask an expert at a step, by what became of them: in plain JavaScript. */
function askedAt(step, layer) {
  const experts = new Map();
  for (const { token, expert, fate } of step.layers[layer].routing.assignments) {
    const text = step.sequences[token].sequence + 1;
    const asked = experts.get(expert) ?? { served: [], lost: [] };
    (fate === "lost" ? asked.lost : asked.served).push(text);
    experts.set(expert, asked);
  }
  return experts;
}

async function runInStep(figure) {
  const panel = figure.panel("batch");
  await panel.getByRole("button", { name: /^Run \d texts? in step$/ }).click();
  await panel
    .getByText(/^\d+ runs?, [\d.]+ s$/)
    .first()
    .waitFor();
  return panel;
}

test("whose request is lost depends on the others, and the panel says what the trace says", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: LAB,
    newTokens: 0,
    prepare: (page) => page.addInitScript(listen),
  });
  await figure.finished();
  const panel = figure.panel("batch");
  // The page's own prompts stand there first.
  const fields = panel.getByRole("textbox");
  assert.equal(await fields.count(), 4);
  for (const left of [4, 3]) await panel.getByRole("button", { name: `Remove text ${left}` }).click();
  for (const [number, text] of TEXTS.entries()) await fields.nth(number).fill(text);
  await runInStep(figure);

  const batches = await page.evaluate(() => Object.values(window.moeBatches));
  assert.equal(batches.length, 3, "together, and each alone");
  const [together, ...alone] = batches;
  const [, chosen] = (await panel.locator(".topic").textContent()).match(/outcomes in layer (\d)/);
  const layer = Number(chosen);

  // The step that it opens at is the first at which this layer turns somebody away; the title has its numbers.
  const losers = (step) => [...askedAt(step, layer)].filter(([, asked]) => asked.lost.length > 0);
  const first = together.findIndex((step) => losers(step).length > 0);
  assert.ok(first >= 0, "half an even share is too little for two that begin alike");
  const [expert, { served, lost }] = losers(together[first]).sort(([a], [b]) => a - b)[0];
  const capacity = together[first].layers[layer].routing.capacity;
  assert.equal(
    await panel.locator(".finding").textContent(),
    `At step ${first}, text ${lost[0]} lost its request to expert ${expert} to text ${served[0]}: ` +
      `capacity ${capacity}, ${served.length + lost.length} asked`,
  );

  // Every expert of any step that one chooses.
  for (const step of [first, together.length - 1]) {
    await panel.getByRole("button", { name: `Step ${step}`, exact: true }).click();
    await panel
      .locator(".batch-slots p")
      .filter({ hasText: `Step ${step}:` })
      .waitFor();
    const asked = [...askedAt(together[step], layer)].sort(([a], [b]) => a - b);
    const shown = await panel.locator(".batch-slots li").evaluateAll((items) =>
      items.map((item) => {
        const numbers = (part) => [...item.querySelectorAll(part)].map((chip) => Number(chip.textContent));
        return [
          Number(item.querySelector("b").textContent.match(/\d+/)[0]),
          { served: numbers(".batch-chips .is-served"), lost: numbers(".batch-chips .is-lost") },
        ];
      }),
    );
    assert.deepEqual(shown, asked);
  }

  // Every cell of the grid that is marked, and no other.
  const marked = await panel
    .locator(".batch-grid tbody tr")
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.querySelectorAll("td")].flatMap((cell, step) => (cell.matches(".is-lost, .is-dropped") ? [step] : [])),
      ),
    );
  const lostSteps = (text) =>
    together.flatMap((step, at) => (losers(step).some(([, asked]) => asked.lost.includes(text)) ? [at] : []));
  assert.deepEqual(marked, [lostSteps(1), lostSteps(2)]);

  // Alone nobody is turned away, and what that changes is said.
  const fates = alone.flat().flatMap(({ layers }) => layers.flatMap(({ routing }) => routing.assignments));
  assert.ok(fates.every(({ fate }) => fate !== "lost"));
  const said = await panel.locator(".batch-alone li").allTextContents();
  assert.equal(said.length, 2);
  assert.match(
    said[1],
    /^Text 2 beside its run alone: of \d+ tokens that are the same, [1-9]\d* ha(s|ve) another fate/,
  );
  const ids = (steps, text) =>
    steps.flatMap(({ sequences, tokens }) =>
      sequences.flatMap(({ sequence }, row) => (sequence === text ? [tokens[row].id] : [])),
    );
  const [here, there] = [ids(together, 1), ids(alone[1], 0)];
  const parted = here.findIndex((id, at) => id !== there[at]);
  const numSame = parted < 0 ? here.length : parted;
  assert.match(said[1], new RegExp(`of ${numSame} tokens? that are the same`));
  assert.equal(/instead of/.test(said[1]), parted >= 0 || here.length !== there.length);

  // The table has the same.
  await figure.button("Batch: show as table").click();
  const table = panel.locator("table").filter({ hasText: "Tokens of the batch, step by step" });
  const rows = table.locator("tbody tr");
  assert.equal(await rows.count(), together.length);
  assert.match(
    await rows
      .nth(first)
      .locator("td")
      .nth(lost[0] - 1)
      .textContent(),
    /(turned away|dropped)$/,
  );
  assert.deepEqual(problems, []);
});

test("texts are added up to eight, one stays, and an empty one is refused with its number", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  await figure.finished();
  const panel = figure.panel("batch");
  const fields = panel.getByRole("textbox");
  const add = panel.getByRole("button", { name: "Add a text" });
  for (let number = 4; number < 8; number += 1) await add.click();
  assert.equal(await fields.count(), 8);
  assert.equal(await add.count(), 0);
  for (let number = 8; number > 2; number -= 1) {
    await panel.getByRole("button", { name: `Remove text ${number}` }).click();
  }
  await fields.nth(1).fill("");
  await panel.getByRole("button", { name: "Run 2 texts in step" }).click();
  await panel.getByText("The prompt is empty. Text 2 of the batch:").first().waitFor();
  await panel.getByRole("button", { name: "Remove text 2" }).click();
  assert.ok(await panel.getByRole("button", { name: "Remove text 1" }).isDisabled());
  await runInStep(figure);
  assert.match(await panel.locator(".batch-alone li").textContent(), /^Text 1 is as alone:/);
  assert.deepEqual(problems, []);
});
