// Every routing method: found, tried on the recorded gate at once, run where the model can, and kept in the link.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const method = (figure, title) => figure.panel("methods").getByRole("button", { name: title });
const findingOf = (figure) => figure.panel("methods").locator(".finding").textContent();

test("a method is found by a word, tried without a run, and is in the link", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded", depth: "lab" },
  });
  await figure.recorded();
  assert.match(await findingOf(figure), /^\d+ routing methods, and \d+ of them run on this model$/);
  const search = figure.panel("methods").getByRole("searchbox");
  await search.fill("puigcerver");
  assert.equal(await figure.panel("methods").locator(".method").count(), 1);
  await method(figure, /^Soft MoE/).click();
  assert.match(await findingOf(figure), /^Soft MoE blends \d+ tokens into 8 slots$/);
  await page.waitForFunction(() => location.hash.includes("method=soft_moe"));
  assert.match(await figure.panel("methods").textContent(), /not as trained/);
  // Two slots for each of four experts: another number, another blend.
  await figure.panel("methods").getByRole("spinbutton", { name: "slots" }).fill("2");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash.includes("method=soft_moe%3A2"));
  await page.reload();
  await figure.recorded();
  assert.match(await findingOf(figure), /^Soft MoE blends/);
  await figure.button("Routing methods: show as table").click();
  assert.match(await figure.panel("methods").getByRole("table").first().textContent(), /Dispatch/);
  assert.deepEqual(problems, []);
});

test("what the model can run is run from there", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { depth: "lab", method: "expert_choice:2" },
  });
  await figure.live();
  await figure.finished();
  assert.match(await findingOf(figure), /^Expert choice has \d+ of \d+ tokens served by other experts$/);
  await figure.button("Run with it").click();
  const { header } = await figure.finished({ after: 1 });
  assert.equal(header.request.routing.router.rule, "expert_choice");
  await page.waitForFunction(() => location.hash.includes("router=expert_choice"));
  assert.match(await figure.panel("lanes").locator(".finding").textContent(), /Every expert picks/);
  assert.deepEqual(problems, []);
});

test("a method that cannot run says why before anybody asks", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded", depth: "lab", method: "thor" },
  });
  await figure.recorded();
  assert.match(
    await figure.panel("methods").textContent(),
    /The model cannot be run with it\. It needs two experts drawn/,
  );
  assert.equal(await figure.button("Run with it").count(), 0);
  assert.deepEqual(problems, []);
});
