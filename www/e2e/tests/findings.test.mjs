// Findings of the literature, tried live on the reader's own text, beside what was recorded.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

test("each finding gets a verdict from real runs, with its numbers and the recorded ones", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: { view: "strip findings", controls: "run step" },
    newTokens: 0,
  });
  await figure.finished();
  const panel = figure.panel("findings");
  await panel.locator(".finding").filter({ hasText: "6 findings to try on this text" }).waitFor();
  await panel.getByRole("button", { name: "Run longer texts" }).click();
  await panel
    .getByText(/^[67] runs/)
    .first()
    .waitFor();
  await panel.getByRole("button", { name: "Run the text in order and by lot" }).click();
  await panel
    .locator(".finding")
    .filter({ hasText: /^On \d+ tokens \d findings hold here and \d not.*; 1 still to be tried$/ })
    .waitFor();
  const entries = await panel.locator(".findings-list li").allTextContents();
  assert.equal(entries.length, 6);
  for (const entry of entries.slice(0, 5)) {
    assert.match(entry, /(holds here|does not hold here|not decided here)Here: .*\d.*Recorded: .*\d/);
  }
  // The default model was trained with a balance loss: nearly all its experts work.
  const [, works, of] = entries[4].match(/Here: A layer works with ([\d.]+) of its (\d) experts/);
  assert.equal(entries[4].includes("does not hold here"), Number(works) >= 0.75 * Number(of), entries[4]);
  assert.match(entries[4], /Recorded: .* works with 7\.94 of its 8 experts, .* without a balance loss with 6\.83/);
  assert.match(entries[5], /not tried.*takes the gates of earlier moments/);
  // The verdict is that of the numbers beside it.
  const [, rise, margin] = entries[0].match(/Here: .*, ([+−][\d.]+) ± ([\d.]+) points/);
  const points = Number(rise.replace("−", "-"));
  const [verdict] = await panel.locator(".verdict").allTextContents();
  assert.equal(verdict === "holds here", points >= 1 && points > Number(margin), `${verdict}: ${entries[0]}`);
  assert.match(entries[0], /Recorded: \+40\.9 ± 0\.6 points/);
  assert.deepEqual(problems, []);
});
