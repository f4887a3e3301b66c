// Several figures of one page that run the same model: one worker, one copy of the weights, and each its own run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { beforeWorker, breakDrawing, Figure, openFigure, UNHURRIED, workersEnded } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const NAMES = ["one", "two", "three"];

/** For `beforeWorker`: a prompt ends it. */
const MORTAL = `self.addEventListener("message", ({ data }) => {
  if (data.run?.prompt.includes("die")) throw new Error("It died.");
});`;

/**
 * A host's page with three figures, each of its own prompt; `backends` of those that differ.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ backends?: any, prepare?: (page: import("playwright-core").Page) => unknown }} options
 */
async function three(t, { backends = {}, prepare } = {}) {
  const figure = (name, at) =>
    `<moe-playground id="${name}" view="strip loss" controls="run prompt step" loading="eager" prompt="Number ${at + 1} went"
      backend="${backends[name] ?? "cpu"}" max-tokens="3"></moe-playground>`;
  const opened = await openFigure(site, t, {
    path: "host.html",
    prepare: async (page) => {
      await page.route("**/host.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><script type="module" src="assets/element.js"></script>${NAMES.map(figure).join("")}`,
        }),
      );
      await prepare?.(page);
    },
  });
  return { ...opened, figures: NAMES.map((name) => new Figure(opened.page, `#${name}`)) };
}

const prompts = (figures) => Promise.all(figures.map(async (figure) => (await figure.trace()).header.request.prompt));

test("three figures share an engine, each shows its own run, and the last one takes the worker along", async (t) => {
  const weights = [];
  const { page, figures, problems } = await three(t, {
    prepare: (page) =>
      page.context().on("request", (request) => {
        if (request.url().endsWith("weights.safetensors")) weights.push(request.url());
      }),
  });
  for (const figure of figures) await figure.live();
  for (const figure of figures) await figure.finished();
  assert.equal(page.workers().length, 1);
  assert.equal(weights.length, 1, "the weights are fetched once");
  assert.deepEqual(await prompts(figures), ["Number 1 went", "Number 2 went", "Number 3 went"]);

  // All at once: each gets its turn.
  await Promise.all(
    figures.map((figure, at) =>
      figure.host.evaluate((it, text) => /** @type {any} */ (it).run(text), `All at once, ${at}`),
    ),
  );
  assert.deepEqual(await prompts(figures), ["All at once, 0", "All at once, 1", "All at once, 2"]);
  const traces = await Promise.all(figures.map((figure) => figure.trace()));
  assert.ok(traces.every(({ steps }) => steps.length > 0 && steps.every(({ run }) => run === steps[0].run)));

  const ended = workersEnded(page);
  for (const name of ["one", "two"]) await page.evaluate((name) => document.getElementById(name)?.remove(), name);
  await figures[2].host.evaluate((it) => /** @type {any} */ (it).run("Alone"));
  assert.deepEqual(await prompts([figures[2]]), ["Alone"]);
  assert.equal(page.workers().length, 1);
  await page.evaluate(() => document.getElementById("three")?.remove());
  await ended;
  assert.equal(page.workers().length, 0);
  assert.deepEqual(problems, []);
});

test("a dozen figures on a page all come up, each drawn, on one engine", async (t) => {
  const ids = Array.from({ length: 12 }, (_, at) => `figure-${at + 1}`);
  /** What a panel has once it is drawn. */
  const pictures = { strip: ".token", lanes: ".slot", layers: ".matrix", load: ".columns" };
  const views = Object.keys(pictures);
  const weights = [];
  const { page, problems } = await openFigure(site, t, {
    path: "host.html",
    newTokens: 1,
    prepare: async (page) => {
      page.context().on("request", (request) => {
        if (request.url().endsWith("weights.safetensors")) weights.push(request.url());
      });
      const figure = (id, at) =>
        `<moe-playground id="${id}" view="${views[at % views.length]}" controls="run" backend="cpu" activate="auto" max-tokens="1"
          prompt="Number ${at + 1} went"><p>Not yet.</p></moe-playground>`;
      await page.route("**/host.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><script type="module" src="assets/element.js"></script>${ids.map(figure).join("")}`,
        }),
      );
    },
  });
  const figures = ids.map((id) => new Figure(page, `#${id}`));
  // As a reader meets them, from the first to the last.
  for (const figure of figures) {
    await figure.host.scrollIntoViewIfNeeded();
    await figure.finished();
  }
  for (const [at, figure] of figures.entries()) {
    const view = views[at % views.length];
    const { width, height } = await figure.panel(view).locator(pictures[view]).first().boundingBox();
    assert.ok(width > 5 && height > 5, `${figure.selector}: ${width} × ${height}`);
    assert.match((await figure.trace()).header.origin.source, /^live/);
  }
  assert.deepEqual(
    await prompts(figures),
    ids.map((_, at) => `Number ${at + 1} went`),
  );
  assert.deepEqual([page.workers().length, weights.length], [1, 1], "one engine, whose weights are fetched once");
  assert.deepEqual(problems, []);
});

test("stopping one figure's run lets another's go on", async (t) => {
  const { page, figures, problems } = await three(t, { prepare: (page) => beforeWorker(page, UNHURRIED) });
  const [one, two] = figures;
  for (const figure of figures) await figure.finished();
  const results = await page.evaluate(async () => {
    const [one, two] = /** @type {any[]} */ (["one", "two"].map((id) => document.getElementById(id)));
    for (const figure of [one, two]) figure.maxTokens = 12;
    const runs = [one.run("The first one"), two.run("The second one")];
    await new Promise((began) => one.addEventListener("moe-step", began, { once: true }));
    await one.stop();
    return (await Promise.all(runs)).map(({ reason }) => reason);
  });
  assert.equal(results[0], "stopped");
  assert.notEqual(results[1], "stopped");
  assert.deepEqual(await prompts([one, two]), ["The first one", "The second one"]);
  assert.deepEqual(problems, []);
});

test("an engine that dies is said in every figure that has it, and started again once", async (t) => {
  const { page, figures } = await three(t, {
    prepare: (page) => beforeWorker(page, MORTAL),
  });
  for (const figure of figures) await figure.finished();
  await page.evaluate(() => void (/** @type {any} */ (document.getElementById("one")).run("Now die").catch(() => {})));
  for (const figure of [figures[1], figures[2]]) await figure.live(2);
  // It repeats what the engine dies of until it is given up, alone.
  await figures[0].error("The engine keeps stopping");
  await figures[1].host.evaluate((it) => /** @type {any} */ (it).run("It goes on"));
  assert.deepEqual(await prompts([figures[1]]), ["It goes on"]);
  const told = await page.evaluate(() => window.moe.errors.map(({ from }) => from));
  assert.deepEqual(
    [told.filter((from) => from === "two").length, told.filter((from) => from === "three").length],
    [1, 1],
  );
  assert.equal(page.workers().length, 1);
});

test("a figure on another backend has a worker of its own", async (t) => {
  const { page, figures, problems } = await three(t, { backends: { two: "cpu-f32" } });
  for (const figure of figures) await figure.finished();
  assert.equal(page.workers().length, 2);
  await page.evaluate(() => document.getElementById("two")?.remove());
  await figures[0].host.evaluate((it) => /** @type {any} */ (it).run("Still here"));
  assert.deepEqual(await prompts([figures[0]]), ["Still here"]);
  assert.equal(page.workers().length, 1);
  assert.deepEqual(problems, []);
});

test("a bug of one figure leaves the engine to the others", async (t) => {
  const { page, figures } = await three(t);
  for (const figure of figures) await figure.finished();
  await breakDrawing(figures[0]);
  await figures[0].host.evaluate((it) => Object.assign(it, { view: "strip loss lanes" }));
  await figures[0].host.getByText("This figure stopped working.").waitFor();
  for (const figure of figures.slice(1)) {
    await figure.host.evaluate((it) => /** @type {any} */ (it).run("It goes on"));
  }
  assert.deepEqual(await prompts(figures.slice(1)), ["It goes on", "It goes on"]);
  assert.equal(page.workers().length, 1);
});
