// Files that somebody brings: what contradicts itself is refused with the place and the numbers, and nothing else on the
// page is the worse for it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure, recordedRun } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { defaultTrace, toJsonLines, withNewTokens } from "../lib/traces.mjs";

const site = suite();
const RECORDED = { backend: "recorded" };

/** A deep copy of the run with a change in it. */
function changed(trace, change) {
  const copy = structuredClone(trace);
  change(copy);
  return copy;
}

test("fields that contradict each other are named with their numbers", async (t) => {
  const trace = withNewTokens(await defaultTrace(site.url), 2);
  /** @type {[(trace: any) => unknown, RegExp][]} */
  const cases = [
    [({ header }) => (header.model.num_layers = 4_294_967_295), /model\.num_layers is 4294967295/],
    [
      ({ header }) => (header.routes.num_experts = { exactly: 9 }),
      /routes\.num_experts is 9, and model\.num_experts is 8/,
    ],
    [({ steps }) => (steps[0].step = 2), /the number of the first step is 2/],
    [
      ({ steps }) => (steps[0].layers[1].routing.assignments[3].expert = 8),
      /step 0, layer 1, routing: record 3 is of expert 8; there are 8/,
    ],
    [
      ({ steps }) => (steps[0].layers[2].routing.capacity = 4_294_967_295),
      /step 0, layer 2: routing\.capacity is 4294967295/,
    ],
    [
      ({ steps }) => (steps[0].layers[0].gate_logits.values[5] = 1e300),
      /step 0, layer 0, gate_logits: the gate logit of token 0 for expert 5 is inf/,
    ],
    [({ steps }) => (steps[0].tokens[2].loss = -5), /step 0: tokens\[2\]\.loss is -5/],
    [({ steps }) => steps.splice(0), /a header and no steps/],
  ];
  for (const [change, message] of cases) {
    const { figure, problems } = await openFigure(site, t, {
      attributes: RECORDED,
      prepare: (page) => recordedRun(page, changed(trace, change)),
    });
    const error = await figure.error("The recorded run could not be shown.");
    assert.match(error.why, message);
    assert.equal(await figure.trace(), null, "nothing of it is shown");
    assert.deepEqual(problems, []);
  }
});

test("steps may count from one", async (t) => {
  const trace = changed(withNewTokens(await defaultTrace(site.url), 2), ({ steps }) => {
    for (const step of steps) step.step += 1;
  });
  const { figure, problems } = await openFigure(site, t, {
    attributes: RECORDED,
    prepare: (page) => recordedRun(page, trace),
  });
  await figure.recorded();
  const { steps } = await figure.trace();
  assert.deepEqual(
    steps.map(({ step }) => step),
    [0, 1, 2],
  );
  const told = await figure.page.evaluate(() => window.moe.steps.map(({ detail }) => detail.step));
  assert.deepEqual(told, [0, 1, 2]);
  assert.deepEqual(problems, []);
});

test("a bad file leaves the run on the screen, and the figure beside it, as they are", async (t) => {
  const trace = withNewTokens(await defaultTrace(site.url), 1);
  const bad = changed(trace, ({ steps }) => (steps[0].layers[0].routing.num_experts = 16));
  const { page, problems } = await openFigure(site, t, {
    path: "examples/two.html",
    attributes: RECORDED,
    prepare: (page) =>
      page.route("**/bad.jsonl", (route) =>
        route.fulfill({ contentType: "application/x-ndjson", body: toJsonLines(bad) }),
      ),
  });
  const [roomy, tight] = [new Figure(page, "#roomy"), new Figure(page, "#tight")];
  for (const figure of [roomy, tight]) {
    await figure.host.scrollIntoViewIfNeeded();
    await figure.stepCount.filter({ hasText: "of 3" }).waitFor();
  }
  await page.evaluate(() => document.querySelector("#roomy").setAttribute("trace", "bad.jsonl"));
  const error = await roomy.error("The recorded run could not be shown.");
  assert.match(error.why, /step 0, layer 0: .* is 16, and routes\.num_experts is 8/);
  for (const figure of [roomy, tight]) assert.equal((await figure.trace()).steps.length, 3);
  await tight.tokens.first().click();
  await tight.selected({ token: 0 });
  assert.equal(await tight.notice.count(), 0);
  assert.deepEqual(problems, []);
});
