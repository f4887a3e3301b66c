// Story, Inspect, Lab: one run at three depths, by mouse, by keyboard and by link; switching loses nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const depth = (figure, name) => figure.host.locator(".moe-container").getByRole("radio", { name });
const hashOf = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1));

test("the switch is a radio group that the keyboard moves, and the link follows it", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  assert.ok(await depth(figure, "Inspect").isChecked());
  await depth(figure, "Inspect").focus();
  const selected = await figure.tokens.evaluateAll((tokens) =>
    tokens.findIndex((token) => token.ariaSelected === "true"),
  );
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => location.hash.includes("depth=lab"));
  assert.ok(await depth(figure, "Lab").isChecked());
  await figure.selected({ token: selected, layer: 2 });
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(() => !location.hash.includes("depth="));
  assert.deepEqual(problems, []);
});

test("another depth shows the same step and selection, and a link opens it", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded", step: "1", layer: "1", token: "3" },
  });
  await figure.recorded();
  await depth(figure, "Lab").check();
  await page.waitForFunction(() => location.hash.includes("depth=lab"));
  await page.reload();
  await figure.recorded();
  assert.ok(await depth(figure, "Lab").isChecked());
  const state = Object.fromEntries(hashOf(page));
  assert.deepEqual([state.step, state.layer, state.token], ["1", "1", "3"]);
  await depth(figure, "Inspect").check();
  await figure.selected({ token: 3, layer: 1 });
  assert.deepEqual(problems, []);
});

test("the story: the run plays once, rests on the event, and one button lets the token in", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: { depth: "story" } });
  const story = figure.panel("story");
  await figure.live();
  await figure.finished();
  await story.getByRole("button", { name: "Pause" }).waitFor();
  await story.getByRole("button", { name: "Play from the start" }).waitFor();
  assert.match(await story.locator(".finding").textContent(), /finds expert 5 full/);
  const before = await figure.trace();
  await story.getByRole("button", { name: /^Let it in: 8 slots/ }).click();
  const after = await figure.finished({ after: 1 });
  assert.ok(after.header.request.routing.overflow.factor > before.header.request.routing.overflow.factor);
  await story.getByText("The model's loss, its surprise at the text").waitFor();
  assert.match(await story.locator(".story-changed").textContent(), /capacity factor 1\.25 → [\d.]+/);
  assert.deepEqual(problems, []);
});

test("the story does not move where less motion is asked for, nor against its reader", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: { depth: "story" },
    reducedMotion: "reduce",
  });
  await figure.live();
  await figure.finished();
  const story = figure.panel("story");
  await story.getByRole("button", { name: "Play from the start" }).waitFor();
  const selected = () => story.locator('.word[aria-selected="true"]').textContent();
  const token = await selected();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await selected(), token);
  assert.equal(await story.getByRole("button", { name: "Pause" }).count(), 0);
  assert.deepEqual(problems, []);
});
