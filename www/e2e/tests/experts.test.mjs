// Experts: what each is asked by, counted on real runs, and what the text loses without one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const LAB = { view: "strip token experts", controls: "run step prompt" };

/** The panel's table of experts: rows of texts. */
const experts = async (panel) => {
  await panel.getByRole("button", { name: "Experts: show as table" }).click();
  const rows = await panel
    .getByRole("table", { name: /^Experts of layer/ })
    .locator("tbody tr")
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
  await panel.getByRole("button", { name: "Experts: show as picture" }).click();
  return rows;
};

test("an expert is asked by whom the trace says, and little text is called too little", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  const { steps } = await figure.finished();
  const panel = figure.panel("experts");
  await panel.locator(".finding").filter({ hasText: "too little text to call anything a speciality" }).waitFor();
  const { layer } = await figure.selection();
  const { assignments } = steps.at(-1).layers[layer].routing;
  const rows = await experts(panel);
  assert.equal(rows.length, 8);
  for (const [expert, [name, asked, served]] of rows.entries()) {
    const of = assignments.filter((request) => request.expert === expert);
    assert.deepEqual(
      [name, Number(asked), Number(served)],
      [`E${expert}`, of.length, of.filter(({ fate }) => fate === "kept").length],
    );
  }
  assert.deepEqual(problems, []);
});

test("longer texts are run in the background, and each expert has a speciality or its numbers", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  const first = await figure.finished();
  const panel = figure.panel("experts");
  await panel.getByRole("button", { name: "Run longer texts" }).click();
  await panel
    .getByText(/^[67] runs/)
    .first()
    .waitFor();
  assert.equal((await figure.trace()).header.request.run, first.header.request.run, "the run on the screen stays");
  for (let expert = 0; expert < 8; expert += 1) {
    await panel.locator(".expert-glyph").nth(expert).click();
    const finding = panel.locator(".finding").filter({ hasText: new RegExp(`^Expert ${expert} of layer`) });
    await finding.waitFor();
    assert.match(await finding.textContent(), /is asked by .+ as often as by chance|has no clear speciality/);
  }
  // What the table calls a speciality is found in both halves.
  for (const [, , , , , , , speciality, , lift, rate, again] of await experts(panel)) {
    if (speciality === "no clear speciality") continue;
    assert.ok(Number.parseFloat(lift) >= 1.5 && Number.parseFloat(again) >= 1.5, `${speciality}: ${lift}, ${again}`);
    assert.ok(Number.parseFloat(rate.replace("<", "")) <= 0.05, rate);
  }
  assert.deepEqual(problems, []);
});

test("muting an expert is compared with muting each other one, in real runs", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  const { steps } = await figure.finished();
  const panel = figure.panel("experts");
  await panel.getByRole("button", { name: /^Mute expert \d, and each other one$/ }).click();
  await panel
    .locator(".experts-cost")
    .filter({ hasText: /of 7 others cost less$/ })
    .waitFor();
  const [, tokens, nats] = await panel.locator(".expert-muting tbody tr").first().locator("th, td").allTextContents();
  const losses = steps.at(-1).tokens.flatMap(({ loss }) => loss ?? []);
  assert.equal(Number(tokens), losses.length);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  assert.ok(Math.abs(Number(nats) - mean) <= 0.00051, `${nats} on the screen, ${mean} in the trace`);
  // Another expert of the layer is known already.
  await panel.locator(".expert-glyph[aria-pressed=false]").first().click();
  await panel
    .locator(".experts-cost")
    .filter({ hasText: /of 7 others cost less$/ })
    .waitFor();
  assert.equal(await panel.getByRole("button", { name: /^Mute expert/ }).count(), 0);
  assert.deepEqual(problems, []);
});

test("held-out text of every kind judges the experts, with its sources and the divergence of each kind", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  await figure.finished();
  const panel = figure.panel("experts");
  await panel.getByRole("button", { name: "Held-out text" }).click();
  await panel
    .getByText(/^24 runs of 1\d\d tokens|^24 runs,/)
    .first()
    .waitFor({ timeout: 180_000 });
  await panel.getByText(/^Read: 3\d{3} tokens \(\d{3} Prose, /).waitFor();
  await panel
    .getByText(/No shipped model was trained on this text\. Prose: .*public domain.*Arithmetic: .*generated/)
    .waitFor();
  const text = await panel.locator(".experts-divergence").textContent();
  const kinds = [...text.matchAll(/(\w+) (\d\.\d{3}) \((\d\.\d{3}) by lot\)/g)];
  assert.deepEqual(
    kinds.map(([, kind]) => kind),
    ["Prose", "Speech", "Spanish", "Rust", "JSON", "Arithmetic"],
  );
  assert.ok(
    kinds.every(([, , nats]) => Number(nats) < 0.2),
    text,
  );
  await panel.getByRole("button", { name: "What you ran" }).click();
  await panel.getByText(/^Read: \d+ tokens \(\d+ [PY]/).waitFor();
  assert.deepEqual(problems, []);
});
