// The kept runs: any two of them are compared, and where their requests were turned away is counted over all.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { stepTotals } from "../lib/traces.mjs";

const site = suite();

test("any two kept runs are compared in one sentence", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: { view: "strip lanes loss runs positions", controls: "run step capacity" },
    newTokens: 0,
  });
  const first = await figure.finished();
  await figure.capacityFactor.fill("0.5");
  const second = await figure.finished({ after: first.header.request.run });
  await figure.capacityFactor.fill("0.25");
  const third = await figure.finished({ after: second.header.request.run });
  const panel = figure.panel("runs");
  const names = await panel.locator("tbody th").allTextContents();
  assert.equal(names.length, 3);
  assert.deepEqual(names.slice(1), ["capacity factor 1.25 → 0.5", "capacity factor 0.5 → 0.25"]);

  const number = ({ header }) => header.request.run;
  await panel.getByRole("button", { name: `Compare with run ${number(first)}` }).click();
  const lost = ({ steps }) => stepTotals(steps.at(-1)).lost;
  const finding = panel.locator(".finding");
  await finding.filter({ hasText: `${lost(third)} turned away instead of ${lost(first)}` }).waitFor();
  await panel.getByRole("button", { name: `Put run ${number(second)} on the screen` }).click();
  assert.equal(number(await figure.trace()), number(second));
  await finding.filter({ hasText: `${lost(second)} turned away instead of ${lost(first)}` }).waitFor();
  assert.deepEqual(problems, []);
});

test("requests turned away are counted by position, over the runs with one routing", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: { view: "strip positions", controls: "prompt run", "capacity-factor": "0.5" },
    newTokens: 0,
  });
  const runs = [await figure.finished()];
  await figure.run("Once upon a time there was a little girl who lived near the sea");
  runs.push(await figure.finished({ after: runs[0].header.request.run }));
  const panel = figure.panel("positions");
  await panel.getByText("over 2 runs with this routing").waitFor();
  const totals = runs.map(({ steps }) => stepTotals(steps.at(-1)));
  const [lost, requests] = ["lost", "requests"].map((count) => totals.reduce((sum, total) => sum + total[count], 0));
  assert.match(await panel.textContent(), new RegExp(`${lost} of ${requests} requests turned away, in 2 runs`));
  assert.deepEqual(problems, []);
});
