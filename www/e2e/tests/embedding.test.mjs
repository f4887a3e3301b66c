// What an author may rely on: attributes, methods and events of the figure, and several figures on one page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { beforeWorker, Figure, openFigure, recordedRun, UNHURRIED } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { defaultTrace, in32Bits, stepTotals, toJsonLines, withNewTokens } from "../lib/traces.mjs";

const site = suite();

test("attributes overrule the recorded run's settings", async (t) => {
  const attributes = {
    prompt: "Hello there",
    seed: "42",
    "max-tokens": "3",
    temperature: "0.5",
    "capacity-factor": "0.5",
    policy: "bpr",
    group: "this-text",
  };
  const { figure, problems } = await openFigure(site, t, { attributes });
  const { header } = await figure.finished();
  const { prompt, seed, max_new_tokens, sampling, routing, group } = header.request;
  assert.deepEqual({ prompt, seed, group }, { prompt: "Hello there", seed: 42, group: "this_text" });
  assert.deepEqual([max_new_tokens, sampling.method, sampling.temperature], [3, "random", 0.5]);
  assert.deepEqual(
    { factor: routing.overflow.factor, priority: routing.overflow.priority },
    { factor: 0.5, priority: "bpr_max" },
  );
  assert.equal(await figure.prompt.inputValue(), "Hello there");
  assert.deepEqual(problems, []);
});

test("attributes with other values are told with what is allowed, and cost nothing else", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    attributes: {
      seed: "-1",
      "capacity-factor": "9",
      policy: "greedy",
      group: "batch",
      backend: "cuda",
      prompt: "Kept",
    },
  });
  const allowed = {
    seed: "a whole number from 0 to 4294967295",
    "capacity-factor": "a number from 0.25 to 4",
    policy: "drop, bpr, random-second, dropless",
    group: "this-text, decode-step",
    backend: "auto, webgpu, cpu, cpu-f32, recorded",
  };
  for (const [attribute, values] of Object.entries(allowed)) {
    const { what, why } = await figure.error(`The attribute ${attribute}=`);
    assert.match(what, /cannot be used/);
    assert.equal(why, `Allowed: ${values}.`);
  }
  const { header } = await figure.finished();
  assert.equal(header.request.prompt, "Kept");
  const errors = await page.evaluate(() => window.moe.errors.length);
  assert.equal(errors, Object.keys(allowed).length, "each once");
});

test("attributes changed together to values that cannot be used are told each", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await page.evaluate(() => {
    const element = document.querySelector("moe-playground");
    element.setAttribute("seed", "seven");
    element.setAttribute("policy", "none");
  });
  await figure.error('seed="seven"');
  await figure.error('policy="none"');
});

test("an attribute that could not be used is told once, not at every later change", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded", seed: "seven" } });
  await figure.recorded();
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("capacity-factor", "0.5"));
  await figure.host.getByText("0.50").first().waitFor();
  assert.equal(await page.evaluate(() => window.moe.errors.length), 1);
});

test("an attribute that becomes bad or goes away leaves the recorded run's setting", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded", "capacity-factor": "0.5" } });
  await figure.recorded();
  const { factor } = (await figure.trace()).header.request.routing.overflow;
  const set = (value) =>
    page.evaluate((value) => (document.querySelector("moe-playground").capacityFactor = value), value);
  const shown = (number) => figure.host.getByText(number.toFixed(2)).first().waitFor();
  for (const gone of ["abc", null, "", "9"]) {
    await set("0.5");
    await shown(0.5);
    await set(gone);
    await shown(factor);
  }
});

test("the attribute theme chooses the colours, and the reader may choose others", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded", theme: "dark" } });
  await figure.recorded();
  const inside = figure.host.locator(".moe-container .moe");
  const themes = async () => [await figure.host.getAttribute("data-theme"), await inside.getAttribute("data-theme")];
  assert.deepEqual(await themes(), ["dark", "dark"]);
  await figure.button("Theme: dark").click();
  await figure.button("Theme: auto").waitFor();
  assert.deepEqual(await themes(), ["system", "system"]);
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("theme", "light"));
  await figure.button("Theme: light").waitFor();
  assert.deepEqual(await themes(), ["light", "light"]);
  await page.evaluate(() => document.querySelector("moe-playground").removeAttribute("theme"));
  await figure.button("Theme: auto").waitFor();
});

test("a changed attribute runs the model again", async (t) => {
  const { page, figure } = await openFigure(site, t);
  const before = await figure.finished();
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("capacity-factor", "0.5"));
  const { header } = await figure.finished({ after: before.header.request.run });
  assert.deepEqual(header.request, {
    ...before.header.request,
    run: header.request.run,
    routing: { ...before.header.request.routing, overflow: { ...before.header.request.routing.overflow, factor: 0.5 } },
  });
});

test("run() takes a prompt, and steps are plain objects equal to those of getTrace()", async (t) => {
  const { page, figure } = await openFigure(site, t);
  const first = await figure.finished();
  await page.evaluate(() => document.querySelector("moe-playground").run("Good morning"));
  const trace = await figure.finished({ after: first.header.request.run });
  assert.equal(trace.header.request.prompt, "Good morning");
  const told = await page.evaluate((run) => {
    const isPlain = (value) =>
      value === null ||
      typeof value !== "object" ||
      ([Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)) &&
        Object.values(value).every(isPlain));
    const details = window.moe.steps.map(({ detail }) => detail).filter((detail) => detail.run === run);
    return {
      details,
      arePlain: details.every(isPlain) && isPlain(document.querySelector("moe-playground").getTrace()),
    };
  }, trace.header.request.run);
  assert.ok(told.arePlain, "no maps, no classes, nothing that JSON cannot write");
  assert.deepEqual(told.details, trace.steps);
});

test("run(null) runs the prompt in the field", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { prompt: "Hello there" } });
  const first = await figure.finished();
  await page.evaluate(() => document.querySelector("moe-playground").run(/** @type {any} */ (null)));
  const again = await figure.finished({ after: first.header.request.run });
  assert.equal(again.header.request.prompt, "Hello there");
});

test("the steps of the recorded run are told like live ones, with the run number 0", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  const { header, steps } = await figure.trace();
  assert.equal(header.request.run, 0);
  const details = await page.evaluate(() => window.moe.steps.map(({ detail }) => detail));
  // The file's numbers are decimal; the trace's are what 32 bits hold of them.
  assert.deepEqual(in32Bits(details), in32Bits(steps));
});

test("stop() keeps what there is, and without a run it does nothing", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    newTokens: 200,
    prepare: (page) => beforeWorker(page, UNHURRIED),
  });
  await figure.step(0);
  const stop = () => page.evaluate(() => document.querySelector("moe-playground").stop());
  await stop();
  const { steps } = await figure.finished();
  assert.ok(steps.length >= 1 && steps.length < 200);
  await stop();
  assert.equal((await figure.trace()).steps.length, steps.length);
  assert.deepEqual(problems, []);
});

/** The page with two figures, both with a live run that is over. */
async function openTwo(t) {
  const { page, problems } = await openFigure(site, t, { path: "examples/two.html", newTokens: 1 });
  const [roomy, tight] = ["#roomy", "#tight"].map((selector) => new Figure(page, selector));
  for (const figure of [roomy, tight]) {
    await figure.host.scrollIntoViewIfNeeded();
    await figure.finished();
  }
  return { page, problems, roomy, tight };
}

test("two figures on a page run the same text, each with its own settings", async (t) => {
  const { page, problems, roomy, tight } = await openTwo(t);
  const traces = { roomy: await roomy.trace(), tight: await tight.trace() };
  const factors = Object.values(traces).map(({ header }) => header.request.routing.overflow.factor);
  assert.deepEqual(factors, [2, 0.5]);
  const lost = Object.values(traces).map(({ steps }) => stepTotals(steps[0]).lost);
  assert.ok(lost[0] < lost[1], `${lost}`);
  const sources = await page.evaluate(() => Object.groupBy(window.moe.steps, ({ from }) => from));
  assert.deepEqual(Object.keys(sources).sort(), ["roomy", "tight"]);
  assert.equal(page.workers().length, 1, "one engine for both");
  assert.deepEqual(problems, []);
});

test("what is done to one figure leaves the other alone", async (t) => {
  const { page, roomy, tight } = await openTwo(t);
  const before = {
    trace: await tight.trace(),
    selection: await tight.selection(),
    prompt: await tight.prompt.inputValue(),
  };
  const { run } = (await roomy.trace()).header.request;
  await roomy.run("Only here");
  const { header } = await roomy.finished({ after: run });
  assert.equal(header.request.prompt, "Only here");
  await roomy.tokens.first().click();
  await page.keyboard.press("ArrowRight");
  await roomy.selected({ token: 1 });
  await roomy.capacityFactor.fill("1");
  await roomy.finished({ after: header.request.run });
  assert.deepEqual(
    { trace: await tight.trace(), selection: await tight.selection(), prompt: await tight.prompt.inputValue() },
    before,
  );
});

test("a figure in a page leaves the page its keys until it has the focus", async (t) => {
  const { page, roomy } = await openTwo(t);
  const before = { selection: await roomy.selection(), step: await roomy.shownStep() };
  await page.evaluate(() => {
    window.moeTaken = [];
    addEventListener("keydown", ({ key, defaultPrevented }) => defaultPrevented && window.moeTaken.push(key));
  });
  for (const key of ["End", "Home", "ArrowDown", "ArrowRight", " "]) await page.keyboard.press(key);
  assert.deepEqual(await page.evaluate(() => window.moeTaken), [], "the keys are the page's");
  assert.deepEqual({ selection: await roomy.selection(), step: await roomy.shownStep() }, before);
  assert.equal(await roomy.button("Pause").count(), 0, "nothing plays");
  await roomy.tokens.first().click();
  await page.keyboard.press("End");
  await roomy.selected({ token: (await roomy.tokens.count()) - 1 });
});

test("a changed trace attribute shows the other recorded run", async (t) => {
  const body = toJsonLines(withNewTokens(await defaultTrace(site.url), 1));
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded" },
    prepare: (page) =>
      page.route("**/other.jsonl", (route) => route.fulfill({ contentType: "application/x-ndjson", body })),
  });
  await figure.recorded();
  assert.equal((await figure.trace()).steps.length, 3);
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("trace", "other.jsonl"));
  await page.waitForFunction(() => window.moe.ready.length === 2);
  const { header, steps } = await figure.trace();
  assert.deepEqual([header.origin.source, header.request.max_new_tokens, steps.length], ["recorded", 1, 2]);
  await figure.stepCount.filter({ hasText: "of 2" }).waitFor();
  assert.deepEqual(problems, []);
});

test("a recorded run that cannot be drawn is refused with the reason", async (t) => {
  const { header, steps } = withNewTokens(await defaultTrace(site.url), 2);
  for (const spoilt of [{ tokens: [] }, { layers: steps[1].layers.slice(0, 1) }]) {
    const { page, figure, problems } = await openFigure(site, t, {
      attributes: { backend: "recorded" },
      prepare: (page) => recordedRun(page, { header, steps: [steps[0], { ...steps[1], ...spoilt }, steps[2]] }),
    });
    const error = await figure.error("The recorded run could not be shown.");
    assert.match(error.why, /^Step 1 of the file cannot be read: /);
    assert.equal((await figure.trace()).steps.length, 1, "what came before stays");
    await page.evaluate(() => document.querySelector("moe-playground").setAttribute("capacity-factor", "0.5"));
    await figure.host.getByText("0.50").first().waitFor();
    assert.deepEqual(problems, []);
  }
});

test("getTrace() in a listener gives the run that the event is about", async (t) => {
  const { figure, page } = await openFigure(site, t, {
    prepare: (page) =>
      page.addInitScript(() => {
        window.moeAtStep = [];
        addEventListener("moe-step", ({ target, detail }) => {
          const figure = /** @type {import("../../packages/moe-playground/index.d.ts").MoePlayground} */ (target);
          window.moeAtStep.push([detail.run, detail.step, figure.getTrace()?.steps.length]);
        });
      }),
  });
  const { header } = await figure.finished();
  const seen = await page.evaluate(() => window.moeAtStep);
  const live = seen.filter(([run]) => run === header.request.run);
  assert.ok(live.length > 1);
  for (const [, step, numSteps] of live) assert.equal(numSteps, step + 1);
});

test("a worker that is lost is lost to both figures, which keep what they show and start one again", async (t) => {
  const { page, roomy, tight } = await openTwo(t);
  const figures = [roomy, tight];
  const prompts = () => Promise.all(figures.map(async (figure) => (await figure.trace()).header.request.prompt));
  const before = await prompts();
  await page.workers()[0].evaluate(
    () =>
      void setTimeout(() => {
        throw new Error("thrown by a test");
      }),
  );
  for (const figure of figures) await figure.live(2);
  assert.deepEqual(await prompts(), before);
  const errors = await page.evaluate(() => window.moe.errors.map(({ from }) => from));
  assert.deepEqual(errors.sort(), ["roomy", "tight"], "each is told once");
  assert.equal(page.workers().length, 1);
});
