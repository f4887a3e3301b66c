// The lab's comparisons: real runs in the background, under several policies and with or without what was lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { beforeWorker, openFigure, UNHURRIED } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { stepTotals } from "../lib/traces.mjs";

const site = suite();

const LAB = { view: "strip token policies drops", controls: "run step", "capacity-factor": "0.5" };

/** The rows of the policies in numbers, as texts by column. */
const measures = (figure) =>
  figure
    .panel("policies")
    .locator(".lab-measures tbody tr")
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].slice(0, 7).map((cell) => cell.textContent.trim().replaceAll("\u202f", " "))),
    );

test("six policies are compared in real runs, and the run's own row says what its trace says", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  const { header, steps } = await figure.finished();
  const panel = figure.panel("policies");
  await panel.getByRole("button", { name: "Compare 6 policies" }).click();
  await panel
    .getByText(/^\d+ runs of \d+ tokens, [\d.]+ s$/)
    .first()
    .waitFor();
  const said = await panel.locator(".comparison-bar .fine").textContent();
  const [, runs, tokens] = said.match(/^(\d+) runs of (\d+) tokens/).map(Number);
  // Five policies along seven capacity factors, and dropless once.
  assert.deepEqual([runs, tokens], [36, steps.at(-1).tokens.length]);

  const rows = await measures(figure);
  assert.deepEqual(
    rows.map(([name]) => name),
    [
      "first come, first served",
      "first choices first",
      "most confident first",
      "largest weight first",
      "by lot",
      "dropless",
    ],
  );
  const totals = stepTotals(steps.at(-1));
  assert.deepEqual(
    rows[0].slice(3, 5),
    [String(totals.lost), String(totals.dropped)],
    "the same text, the same losses",
  );
  assert.ok(totals.lost > 0, "half an even share is too little");
  const losses = steps.at(-1).tokens.flatMap(({ loss }) => loss ?? []);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  assert.ok(Math.abs(Number(rows[0][1]) - mean) <= 0.00051, `${rows[0][1]} on the screen, ${mean} in the trace`);
  assert.deepEqual(rows[5].slice(2, 5), ["0.000", "0", "0"], "dropless turns nobody away");
  assert.equal(rows[0][6], "0", "the reference differs from itself in nothing");
  assert.ok(Number(rows[5][6]) > 0);
  assert.equal(header.request.run, (await figure.trace()).header.request.run, "the run on the screen stays");
  assert.match(await panel.locator(".finding").textContent(), /^At capacity factor 0\.50 the loss is lowest under/);

  // One cursor: the selected token is the same in all pictures.
  await figure.tokens.nth(3).click();
  await panel.locator(".column-words .is-selected").waitFor();
  const words = await panel
    .locator(".column-words span")
    .evaluateAll((all) => all.findIndex((word) => word.classList.contains("is-selected")));
  assert.equal(words, 3);

  // The slider is of all policies, and a link holds it.
  await panel.getByRole("slider").fill("0.25");
  await panel.getByText(/^at factor 0\.25$/).waitFor();
  const tighter = await measures(figure);
  assert.ok(Number(tighter[0][3]) > totals.lost, "fewer slots, more losses");
  const state = await figure.page.evaluate(() => document.querySelector("moe-playground").getState());
  assert.equal(state["lab-factor"], "0.25");
  assert.deepEqual(problems, []);
});

test("a comparison lets the reader's run go first, can be cancelled, and goes on from there", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: LAB,
    newTokens: 0,
    prepare: (page) => beforeWorker(page, UNHURRIED),
  });
  const first = await figure.finished();
  const panel = figure.panel("policies");
  await panel.getByRole("button", { name: "Compare 6 policies" }).click();
  await panel.getByText(/^[1-9]\d* of 36 runs, about/).waitFor();
  await figure.button("Run").click();
  const own = await figure.finished({ after: first.header.request.run });
  assert.equal(own.header.request.prompt, first.header.request.prompt);
  await panel.getByRole("button", { name: "Cancel" }).click();
  const said = await panel.locator(".comparison-bar .fine").textContent();
  const [, done] = said.match(/^Cancelled after (\d+) of 36/).map(Number);
  assert.ok(done > 0 && done < 36, said);
  assert.deepEqual(problems, []);
});

test("what a drop costs is the difference of two runs of the same text", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  const { steps } = await figure.finished();
  const panel = figure.panel("drops");
  await panel.getByRole("button", { name: "Compute what was lost" }).click();
  await panel.locator(".drops-chart").waitFor();
  await panel.getByRole("button", { name: /table/ }).click();
  const rows = await panel
    .locator("tbody tr")
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent.replace("−", "-"))));
  const { tokens, layers } = steps.at(-1);
  assert.equal(rows.length, tokens.length);
  for (const [at, [number, , lost, withLosses, without, cost]] of rows.entries()) {
    assert.equal(Number(number), at);
    const turnedAway = layers.flatMap(({ routing }) =>
      routing.assignments.filter(({ token, fate }) => token === at && fate === "lost"),
    );
    assert.equal(Number(lost), turnedAway.length);
    if (at === 0) continue;
    assert.ok(Math.abs(Number(withLosses) - tokens[at].loss) < 1e-3, `token ${at}`);
    assert.ok(Math.abs(Number(withLosses) - Number(without) - Number(cost)) < 2.1e-4, `token ${at}`);
  }
  const [, lost, total] = (await panel.locator(".finding").textContent()).match(
    /^The (\d+) requests turned away (?:cost|saved) ([\d.]+) nats/,
  );
  assert.equal(Number(lost), stepTotals(steps.at(-1)).lost);
  const sum = rows.slice(1).reduce((sum, row) => sum + Number(row[5]), 0);
  assert.ok(Math.abs(Math.abs(sum) - Number(total)) < 0.01, `${sum} in the table, ${total} in the title`);
  assert.deepEqual(problems, []);
});

test("the lab works by keyboard: its controls have names, and are large enough", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: LAB, newTokens: 0 });
  await figure.finished();
  const panel = figure.panel("policies");
  await panel.getByRole("button", { name: "Compare 6 policies" }).focus();
  await figure.page.keyboard.press("Enter");
  await panel.locator(".lab-measures").waitFor();
  const small = await panel
    .locator("button, input")
    .evaluateAll((all) =>
      all.filter((it) => it.getBoundingClientRect().height < 22).map((it) => it.textContent || it.ariaLabel),
    );
  assert.deepEqual(small, []);
  await panel.locator(".lab-strips").focus();
  const before = await figure.selection();
  await figure.page.keyboard.press(before.token > 0 ? "ArrowLeft" : "ArrowRight");
  await figure.selected({ token: before.token > 0 ? before.token - 1 : 1 });
  assert.deepEqual(problems, []);
});
