// The methods of the element keep what they promise, or say in three sentences why not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { beforeWorker, openFigure, UNHURRIED } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { stepTotals } from "../lib/traces.mjs";

const site = suite();
const ELEMENT = "moe-playground";

/** Calls a method in the page: `{ kept }`, or `{ broken }` with the error's sentences. */
function call(page, method, ...values) {
  return page.evaluate(
    ([selector, method, values]) => {
      const told = ({ name, message, what, why, try_this }) => ({ name, message, what, why, try_this });
      return document
        .querySelector(selector)
        [method](...values)
        .then(
          (kept) => ({ kept: kept ?? null }),
          (error) => ({ broken: told(error) }),
        );
    },
    [ELEMENT, method, values],
  );
}

/** The sentences of a promise that was broken. */
function sentences({ broken }) {
  const { name, message, what, why, try_this } = broken;
  assert.equal(name, "MoePlaygroundError");
  assert.ok(what && why && try_this);
  assert.equal(message, `${what} ${why} ${try_this}`);
  return { what, why, try_this };
}

test("load() is kept with what moe-ready says, and again at once", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  const first = await call(page, "load");
  const { from, at_ms, ...ready } = await figure.recorded();
  assert.deepEqual(first.kept, ready);
  assert.deepEqual((await call(page, "load")).kept, ready);
  assert.deepEqual(problems, []);
});

test("load() brings a figure that is far away", async (t) => {
  const { page } = await openFigure(site, t, { path: "examples/two.html", attributes: { backend: "recorded" } });
  const source = await page.evaluate(() => {
    const style = "margin-top: 9000px";
    const far = Object.assign(document.createElement("moe-playground"), { backend: "recorded", style });
    document.body.append(far);
    return far.load().then(({ source }) => source);
  });
  assert.equal(source, "recorded");
});

test("load() is broken where the application cannot come", async (t) => {
  const { page } = await openFigure(site, t, {
    prepare: (page) => page.route(/\/(web|figure)_bg[^/]*\.wasm$/, (route) => route.abort()),
  });
  assert.equal(sentences(await call(page, "load")).what, "The playground could not start.");
});

test("run() is kept with the finished run in numbers, and its events tell of it", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { "capacity-factor": "0.5" },
    // From the beginning: an engine may be ready before a test says anything.
    prepare: (page) =>
      page.addInitScript(() => {
        window.moeTold = { progress: [], overflow: [], finished: [] };
        for (const [name, list] of Object.entries(window.moeTold))
          addEventListener(`moe-${name}`, (/** @type {any} */ { detail }) => list.push(detail));
      }),
  });
  await figure.finished();
  const { kept: summary } = await call(page, "run", "Once upon a time");
  const { header, steps } = await figure.trace();
  assert.equal(header.request.prompt, "Once upon a time");
  const last = steps[steps.length - 1];
  const { requests, lost, dropped } = stepTotals(last);
  const text = (tokens) => Buffer.from(tokens.flatMap(({ bytes }) => bytes)).toString();
  const losses = last.tokens.flatMap(({ loss }) => (loss === null ? [] : [loss]));
  assert.deepEqual(summary, {
    run: header.request.run,
    reason: "length",
    source: header.origin.source,
    prompt: "Once upon a time",
    written: text(last.tokens).slice("Once upon a time".length),
    num_prompt_tokens: steps[0].tokens.length,
    num_new_tokens: 2,
    num_requests: requests,
    num_lost: lost,
    num_dropped: dropped,
    loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
  });
  assert.ok(lost > 0);
  const told = await page.evaluate(() => window.moeTold);
  const { run } = summary;
  assert.deepEqual(told.finished[told.finished.length - 1], { run, reason: "length" });
  assert.deepEqual(
    told.overflow.filter((detail) => detail.run === run).map(({ step, lost }) => [step, lost.length]),
    steps.map((step) => [step.step, stepTotals(step).lost]).filter(([, lost]) => lost > 0),
  );
  assert.ok(told.progress.length > 1);
  const loaded = told.progress.map(({ loaded_bytes }) => loaded_bytes);
  assert.deepEqual(
    loaded,
    [...loaded].sort((a, b) => a - b),
  );
  const all = told.progress[told.progress.length - 1];
  assert.ok(all.total_bytes > 1_000_000 && all.loaded_bytes === all.total_bytes, JSON.stringify(all));
  assert.deepEqual(problems, []);
});

test("events of a figure in a foreign shadow tree reach the document, as the element that holds it", async (t) => {
  const { page, problems } = await openFigure(site, t, {
    path: "404.html",
    prepare: (page) =>
      page.addInitScript(() => {
        window.moeHeard = {};
        const names = ["ready", "progress", "step", "overflow", "finished", "statechange", "error"];
        for (const name of names) {
          document.addEventListener(`moe-${name}`, (event) => {
            const { bubbles, composed, detail, target } = /** @type {CustomEvent} */ (event);
            window.moeHeard[name] ??= {
              bubbles,
              composed,
              hasDetail: detail !== null,
              at: /** @type {any} */ (target).id,
            };
          });
        }
      }),
  });
  await page.evaluate(async (element) => {
    const holder = Object.assign(document.createElement("div"), { id: "holder" });
    document.body.append(holder);
    const figure = Object.assign(document.createElement("moe-playground"), { view: "strip", loading: "eager" });
    for (const [name, value] of [
      ["activate", "auto"],
      ["backend", "cpu"],
      ["capacity-factor", "0.5"],
      ["seed", "no number"],
      ["max-tokens", "1"],
    ]) {
      figure.setAttribute(name, value);
    }
    holder.attachShadow({ mode: "closed" }).append(figure);
    await import(element);
    await figure.run("Once upon a time");
    await figure.seek({ token: 1 });
  }, new URL("assets/element.js", site.url).href);
  const heard = await page.evaluate(() => window.moeHeard);
  const expected = { bubbles: true, composed: true, hasDetail: true, at: "holder" };
  for (const name of ["ready", "progress", "step", "overflow", "finished", "statechange", "error"]) {
    assert.deepEqual(heard[name], expected, name);
  }
  assert.deepEqual(problems, []);
});

test("a run token by token is told whole, too", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { group: "decode-step" } });
  await figure.finished();
  const { kept } = await call(page, "run", "Hello there");
  const { steps } = await figure.trace();
  const text = Buffer.from(steps.flatMap(({ tokens }) => tokens).flatMap(({ bytes }) => bytes)).toString();
  assert.equal(`Hello there${kept.written}`, text);
  assert.equal(kept.num_prompt_tokens + kept.num_new_tokens, steps.length);
  assert.deepEqual([kept.num_lost, kept.num_dropped], [0, 0]);
});

test("run() is broken in the sentences that moe-error has", async (t) => {
  const { page, figure } = await openFigure(site, t);
  await figure.finished();
  const broken = sentences(await call(page, "run", ""));
  const { from, at_ms, ...told } = await figure.error("The prompt is empty");
  assert.deepEqual(broken, told);

  const recorded = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await recorded.figure.recorded();
  const { what } = sentences(await call(recorded.page, "run", "Hello"));
  await recorded.figure.error(what);
});

test("of two runs the first is broken and the second kept; nobody needs to listen", async (t) => {
  const { page, figure, problems } = await openFigure(site, t);
  await figure.finished();
  const [first, second] = await page.evaluate(async (selector) => {
    const figure = document.querySelector(selector);
    const first = figure.run("One").catch(({ what }) => what);
    figure.run("Two");
    return [await first, (await figure.run("Three")).prompt];
  }, ELEMENT);
  assert.deepEqual([first, second], ["This run was given up.", "Three"]);
  assert.deepEqual(problems, []);
});

test("stop() is kept when the run is over, and the run's promise says that it was stopped", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    newTokens: 200,
    prepare: (page) => beforeWorker(page, UNHURRIED),
  });
  await figure.step(0);
  const [isKept, reason, before, after] = await page.evaluate(async (selector) => {
    const figure = document.querySelector(selector);
    const run = figure.run("Hello there");
    await new Promise((resolve) => figure.addEventListener("moe-step", resolve, { once: true }));
    await figure.stop();
    const before = figure.getTrace().steps.length;
    const { reason } = await run;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return [await figure.stop().then(() => true), reason, before, figure.getTrace().steps.length];
  }, ELEMENT);
  assert.deepEqual([isKept, reason, before], [true, "stopped", after]);
});

test("stepBy(), seek() and setState() are kept with the state that they lead to", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" }, newTokens: 6 });
  await figure.recorded();
  const place = { step: "3", layer: "2", token: "1", expert: "6" };
  assert.deepEqual((await call(page, "seek", { layer: 2, token: 1, step: 3, expert: 6 })).kept, place);
  assert.equal((await call(page, "stepBy", 2)).kept.step, "5");
  assert.equal((await call(page, "stepBy", -4)).kept.step, "1");
  const { kept } = await call(page, "setState", { ...place, seed: 9 });
  assert.deepEqual(kept, { ...place, seed: "9" });
  assert.deepEqual(await page.evaluate((selector) => document.querySelector(selector).getState(), ELEMENT), kept);
  assert.deepEqual(problems, []);
});

test("seek() waits for a step that is still to come", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    newTokens: 8,
    prepare: (page) => beforeWorker(page, UNHURRIED),
  });
  await figure.step(0);
  const { kept } = await call(page, "seek", { step: 6 });
  assert.equal(kept.step, "6");
});

test("route() is the router by itself: what the model routed, and other rules", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  const { steps } = await figure.trace();
  for (const { gate_logits: logits, routing } of steps[0].layers) {
    const asModel = await call(page, "route", { logits, router: "top_k:2", capacityFactor: 1.25 });
    const plain = ({ assignments, ...rest }) => ({
      ...rest,
      requests: assignments.map(({ token, rank, expert, fate, slot }) => ({ token, rank, expert, fate, slot })),
    });
    assert.deepEqual(plain(asModel.kept), plain(routing));
  }
  const rows = [
    [1, 0],
    [3, 0],
  ];
  const lost = async (options) =>
    (await call(page, "route", { logits: rows, router: "switch", ...options })).kept.assignments.map(
      ({ fate }) => fate === "lost",
    );
  assert.deepEqual(await lost({}), [false, false]);
  assert.deepEqual(await lost({ capacityFactor: 1 }), [false, true]);
  assert.deepEqual(await lost({ capacityFactor: 1, policy: "bpr" }), [true, false]);
  for (const wrong of [{ router: "top_k:3" }, { router: "best" }, { logits: [[1], [1, 2]] }, { capacityFactor: 99 }]) {
    sentences(await call(page, "route", { logits: rows, router: "switch", ...wrong }));
  }
  const wrongs = [undefined, null, {}, { logits: rows }, { router: "switch" }, { logits: "abc", router: "switch" }];
  for (const wrong of wrongs) sentences(await call(page, "route", wrong));
  const typed = await figure.host.evaluate(async (it) => {
    const rows = [Float32Array.of(1, 0), Float32Array.of(3, 0)];
    return (await /** @type {any} */ (it).route({ logits: rows, router: "switch" })).assignments.length;
  });
  assert.equal(typed, 2);
  assert.deepEqual(problems, []);
});

test("what was promised by a figure that is removed is broken", async (t) => {
  const { page, figure } = await openFigure(site, t, { newTokens: 200 });
  await figure.step(0);
  const what = await page.evaluate(async (selector) => {
    const figure = document.querySelector(selector);
    const run = figure.run("Hello").catch(({ what }) => what);
    const isOfIt = (/** @type {any} */ { detail }) => detail.run > 1;
    await new Promise((resolve) => figure.addEventListener("moe-step", (event) => isOfIt(event) && resolve(null)));
    figure.remove();
    return run;
  }, ELEMENT);
  assert.equal(what, "The figure is gone.");
});
