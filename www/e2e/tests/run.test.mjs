// Running: a typed prompt, a moved slider, an expert that overflows, and a stop.

import assert from "node:assert/strict";
import { test } from "node:test";

import { beforeWorker, openFigure, UNHURRIED } from "../lib/figure.mjs";
import { screenNumbers } from "../lib/screen.mjs";
import { suite } from "../lib/suite.mjs";
import { layerTotals, sharedLoss, stepTotals, textOf } from "../lib/traces.mjs";

const site = suite();

test("a typed prompt is run and continued", async (t) => {
  const { figure, problems } = await openFigure(site, t);
  const { header: first } = await figure.finished();
  await figure.run("A dog ran to the");
  const { header, steps } = await figure.finished({ after: first.request.run });
  assert.equal(header.request.prompt, "A dog ran to the");
  assert.equal(textOf(steps[0].tokens), "A dog ran to the");
  assert.ok(steps.length > 1, "the model wrote something");
  assert.equal(await figure.tokens.count(), steps.at(-1).tokens.length, "the whole text is on the screen");
  assert.deepEqual(problems, []);
});

test("Enter in the prompt runs it, Shift and Enter break the line", async (t) => {
  const { page, figure } = await openFigure(site, t);
  const { header: first } = await figure.finished();
  await figure.prompt.fill("Once");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("upon");
  await page.keyboard.press("Enter");
  const { header } = await figure.finished({ after: first.request.run });
  assert.equal(header.request.prompt, "Once\nupon");
});

test("a smaller capacity turns requests away, and the screen counts what the trace counts", async (t) => {
  const { figure, problems } = await openFigure(site, t);
  const { header: first } = await figure.finished();
  await figure.capacityFactor.fill("0.25");
  const { header, steps } = await figure.finished({ after: first.request.run });
  assert.equal(header.request.routing.overflow.factor, 0.25);

  const step = steps[await figure.shownStep()];
  const totals = stepTotals(step);
  assert.ok(
    totals.lost > 1 && totals.dropped > 0,
    `a quarter of an even share is too little: ${JSON.stringify(totals)}`,
  );
  const { layer } = await figure.selection();
  const { routing } = step.layers[layer];
  const screen = await screenNumbers(figure);
  assert.deepEqual(screen.requests, { lost: totals.lost, requests: totals.requests });
  assert.deepEqual(
    screen.layers,
    step.layers.map(({ routing }) => ({ lost: layerTotals(routing).lost, dropped: layerTotals(routing).dropped })),
  );
  const asked = (expert, fate) =>
    routing.assignments.filter((request) => request.expert === expert && (fate ?? request.fate) === request.fate)
      .length;
  const lanes = Array.from({ length: routing.num_experts }, (_, expert) => ({
    asked: asked(expert),
    slots: routing.capacity,
    turnedAway: asked(expert, "lost"),
    drawnInside: asked(expert, "kept"),
    drawnOutside: asked(expert, "lost"),
  }));
  assert.deepEqual(screen.lanes, lanes);
  const { k } = header.request.routing.router;
  assert.deepEqual(screen.equation, ["C", 0.25, k, step.tokens.length, routing.num_experts, routing.capacity]);
  assert.deepEqual(problems, []);
});

test("every token that lost a request in the selected layer is marked in the text", async (t) => {
  const { figure } = await openFigure(site, t, { attributes: { "capacity-factor": "0.25" } });
  const { steps } = await figure.finished();
  const step = steps[await figure.shownStep()];
  const { layer } = await figure.selection();
  const { assignments } = step.layers[layer].routing;
  const expected = step.tokens.map((_, token) => {
    const fates = assignments.filter((request) => request.token === token).map(({ fate }) => fate);
    if (!fates.includes("lost")) return "";
    return fates.includes("kept") ? "lost" : "dropped";
  });
  const marks = await figure.tokens.evaluateAll((tokens) =>
    tokens.map(({ classList }) => ["lost", "dropped"].filter((mark) => classList.contains(mark)).join(" ")),
  );
  assert.deepEqual(marks, expected);
});

test("moving the slider runs the model again by itself and shows the change of the loss", async (t) => {
  const { figure } = await openFigure(site, t);
  const before = await figure.finished();
  await figure.capacityFactor.fill("0.25");
  const now = await figure.finished({ after: before.header.request.run });
  const step = now.steps[await figure.shownStep()];
  const same = before.steps.find(({ tokens }) => tokens.length === step.tokens.length);
  const loss = sharedLoss(same, step);
  const change = loss.now - loss.before;
  const isOtherText = textOf(before.steps.at(-1).tokens) !== textOf(now.steps.at(-1).tokens);
  assert.ok(isOtherText || Math.abs(change) >= 0.0005, "fewer slots change the text or its loss");
  const shown = await figure.panel("loss").locator(".is-change b").first().textContent();
  assert.ok(Math.abs(Number(shown) - change) <= 0.00051, `${shown} on the screen, ${change} in the traces`);
});

test("the run before comes back with x, and goes again", async (t) => {
  const { page, figure } = await openFigure(site, t);
  const before = await figure.finished();
  await figure.capacityFactor.fill("0.25");
  const now = await figure.finished({ after: before.header.request.run });
  await figure.tokens.first().click();
  await page.keyboard.press("x");
  await figure.button("Previous run").waitFor();
  assert.equal((await figure.trace()).header.request.run, before.header.request.run);
  await figure.panel("loss").getByRole("button", { name: "table" }).click();
  const columns = await figure.panel("loss").locator("th[scope=col]").allTextContents();
  assert.deepEqual(columns, ["#", "token", "previous run", "this run"], "the run on the screen first");
  await page.keyboard.press("x");
  await figure.button("This run").waitFor();
  assert.equal((await figure.trace()).header.request.run, now.header.request.run);
});

test("one token at a time overflows nowhere, and the page says why", async (t) => {
  const { figure } = await openFigure(site, t, { attributes: { "capacity-factor": "0.25", group: "decode-step" } });
  const { steps } = await figure.finished();
  assert.deepEqual(
    steps.map((step) => stepTotals(step).lost),
    steps.map(() => 0),
  );
  assert.match(await figure.panel("strip").textContent(), /All \d+ requests were served/);
  assert.match(await figure.panel("lanes").textContent(), /one slot is enough and no expert can overflow/);
});

test("one token at a time, the prompt is told from what the model wrote", async (t) => {
  const { figure } = await openFigure(site, t, { attributes: { group: "decode-step" } });
  const first = await figure.finished();
  const prompt = "The cat sat on the mat";
  await figure.run(prompt);
  const { header, steps } = await figure.finished({ after: first.header.request.run });
  assert.equal(header.request.group, "decode_step");
  const tokens = steps.flatMap(({ tokens }) => tokens);
  const isWritten = tokens.map((_, at) => textOf(tokens.slice(0, at)).length >= prompt.length);
  assert.ok(
    isWritten.includes(true) && isWritten.filter((it) => !it).length > 1,
    "both, and a prompt of several tokens",
  );
  await figure.atStep(steps.length);
  const marked = await figure.tokens.evaluateAll((tokens) =>
    tokens.map(({ classList }) => classList.contains("is-written")),
  );
  assert.deepEqual(marked, isWritten);
  // Within the prompt the next token is there already, after it the model chooses one.
  const outcome = () => figure.panel("token").locator(".expectation .is-chosen .outcome").textContent();
  await figure.tokens.first().click();
  await figure.selected({ token: 0 });
  assert.equal(await outcome(), "prompt");
  await figure.tokens.nth(isWritten.indexOf(true) - 1).click();
  await figure.selected({ token: isWritten.indexOf(true) - 1 });
  assert.equal(await outcome(), "chosen");
});

test("a number beyond its limits shows the number that is used", async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await figure.host.getByText("Generation", { exact: true }).click();
  const field = figure.host.getByRole("spinbutton", { name: "New tokens" });
  // The second time the setting stays as it is, and nothing is drawn again.
  for (const [typed, used] of [
    ["9999", "256"],
    ["9999", "256"],
    ["-5", "0"],
    ["12", "12"],
    ["", "12"],
  ]) {
    await field.fill(typed);
    // Tab would leave the pop-up, which closes then.
    await field.blur();
    assert.equal(await field.inputValue(), used, `after "${typed}"`);
  }
  assert.deepEqual(problems, []);
});

/** In the worker: notes when every step began, on the clock that all threads share. */
function noteSteps() {
  const post = globalThis.postMessage.bind(globalThis);
  globalThis.moeBegan = [];
  globalThis.postMessage = (message, ...rest) => {
    const now = performance.timeOrigin + performance.now();
    // Steps are text. Each waits for others less long than it takes here, so that each is sent by itself.
    const steps = typeof message === "string" ? JSON.parse(message) : [];
    for (const { step } of steps) globalThis.moeBegan.push(now - step.elapsed_ms);
    post(message, ...rest);
  };
}

test("a stopped run begins at most one more step, and what there is stays", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    newTokens: 200,
    prepare: (page) => beforeWorker(page, UNHURRIED),
  });
  await figure.step(1);
  const worker = page.workers().at(-1);
  await worker.evaluate(noteSteps);
  await figure.step((await figure.trace()).steps.length + 1);
  await page.evaluate(() => {
    addEventListener("click", () => (window.moePressed = performance.timeOrigin + performance.now()), {
      capture: true,
      once: true,
    });
  });
  await figure.button("Stop").click();
  await figure.button("Run").waitFor();
  const pressed = await page.evaluate(() => window.moePressed);
  const began = await worker.evaluate(() => globalThis.moeBegan);
  assert.ok(began.length > 0, "steps were noted");
  assert.ok(began.filter((at) => at > pressed).length <= 1, `pressed at ${pressed}, steps began at ${began}`);
  const { header, steps } = await figure.trace();
  assert.ok(header.origin.source.startsWith("live") && steps.length >= 2 && steps.length < 200);
  await figure.button("Play").click();
  await figure.button("Pause").waitFor({ state: "hidden" });
  await figure.stepCount.filter({ hasText: "stopped" }).waitFor();
  assert.deepEqual(problems, []);
});
