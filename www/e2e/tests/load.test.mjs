// A visit begins: the recorded run is there first, then the same run comes live from this machine, and nothing moves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RUNG } from "../lib/environment.mjs";
import { holdBack, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { decisions, defaultTrace } from "../lib/traces.mjs";

const site = suite();
const APPLICATION = /\/web(\.\w+)?\.js$/;
const WORKER_WASM = /\/moe_worker(_gpu)?_bg[^/]*\.wasm$/;
const LIVE_SOURCE = { webgpu: "live_gpu", cpu: "live_cpu" }[RUNG];
const LIVE_BADGE = { webgpu: "live GPU", cpu: "live CPU" }[RUNG];

/** Positions and sizes of everything that has a place of its own, by name. */
async function boxes(page) {
  // While the first paint is there, the application is laid out behind it, at another place.
  await page.waitForFunction(
    () => !document.querySelector("moe-playground").shadowRoot.querySelector("#root > [inert]"),
  );
  return page.evaluate(() => {
    const { shadowRoot } = document.querySelector("moe-playground");
    const places = {};
    for (const place of shadowRoot.querySelectorAll(".panel, header.top, .prompt-bar")) {
      const { x, y, width, height } = place.getBoundingClientRect();
      places[place.className] = [x, y, width, height].map(Math.round);
    }
    return places;
  });
}

/** The sources that the panels name, each once. */
async function badges({ host }) {
  return [...new Set((await host.locator(".source").allTextContents()).map((text) => text.trim()))];
}

test("the recorded run is on the screen before the engine, and says that it is recorded", async (t) => {
  let release;
  const { figure, problems } = await openFigure(site, t, {
    prepare: async (page) => (release = await holdBack(page, WORKER_WASM)),
  });
  await figure.tokens.first().waitFor();
  const { header, steps } = await figure.trace();
  assert.equal(header.origin.source, "recorded");
  assert.equal(steps.length > 0, true);
  assert.deepEqual(await badges(figure), ["recorded"]);
  assert.match(await figure.engine.textContent(), /starting the engine/);
  release();
  await figure.live();
  assert.deepEqual(problems, []);
});

test("the run turns live by itself, and every panel says so", async (t) => {
  const { figure, problems } = await openFigure(site, t);
  const { source, model, backend } = await figure.live();
  assert.equal(source, LIVE_SOURCE);
  assert.equal(backend.rung, RUNG);
  const { header } = await figure.finished();
  assert.equal(header.origin.source, LIVE_SOURCE);
  assert.deepEqual(header.model, model);
  assert.deepEqual(await badges(figure), [LIVE_BADGE]);
  assert.match(await figure.engine.textContent(), RUNG === "webgpu" ? /live on your GPU/ : /live on your CPU/);
  assert.deepEqual(problems, []);
});

test("an engine that is ready does not wait for ever for the recorded run", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    prepare: (page) => page.route("**/traces/default.jsonl", () => {}), // No answer at all.
  });
  await figure.live();
  const { header, steps } = await figure.finished();
  assert.equal(header.origin.source, LIVE_SOURCE);
  assert.ok(header.request.prompt.length > 0 && steps.length > 1);
  assert.equal(await figure.notice.count(), 0);
  assert.deepEqual(problems, []);
});

test("nothing moves when the run turns live", async (t) => {
  let release;
  const { page, figure } = await openFigure(site, t, {
    prepare: async (page) => (release = await holdBack(page, WORKER_WASM)),
  });
  await figure.tokens.first().waitFor();
  const recorded = await boxes(page);
  assert.ok(Object.keys(recorded).length >= 9, `panels, top line and prompt: ${Object.keys(recorded)}`);
  release();
  await figure.finished();
  assert.deepEqual(await boxes(page), recorded);
});

/** @type {[string, number, number][]} */
const SCREENS = [
  ["wide", 1440, 900],
  ["middle", 768, 1024],
  ["narrow", 390, 844],
];
for (const [name, width, height] of SCREENS) {
  test(`the layout is stable from the first paint to the live run on a ${name} screen`, async (t) => {
    const { page, figure } = await openFigure(site, t, { viewport: { width, height } });
    await figure.finished();
    const shifts = await page.evaluate(() =>
      window.moe.shifts.map(({ value, sources }) => ({
        value,
        nodes: sources.map(({ node }) => node?.className || node?.nodeName),
      })),
    );
    const total = shifts.reduce((sum, { value }) => sum + value, 0);
    assert.ok(total <= 0.1, `shifts add up to ${total}: ${JSON.stringify(shifts)}`);
  });
}

test("the first paint stands still while a slow machine reads it", async (t) => {
  // Ten times slower, and on a screen where panels stand side by side: half a page would be laid out otherwise.
  const { page } = await openFigure(site, t, {
    viewport: { width: 768, height: 1024 },
    prepare: async (page) => {
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: 10 });
      await holdBack(page, APPLICATION);
    },
  });
  await page.locator("moe-playground .panel-lanes").waitFor();
  assert.deepEqual(await page.evaluate(() => window.moe.shifts.map(({ value }) => value)), []);
});

test("the live run of the default prompt decides as the recorded one did", async (t) => {
  const { figure, problems } = await openFigure(site, t, { newTokens: null });
  const live = await figure.finished();
  const recorded = await defaultTrace(site.url);
  assert.equal(live.header.model.weights_sha256, recorded.header.model.weights_sha256, "one model");
  assert.equal(live.steps.length, recorded.steps.length);
  for (const [number, step] of recorded.steps.entries()) {
    assert.deepEqual(decisions(live.steps[number]), decisions(step), `step ${number}`);
  }
  assert.deepEqual(problems, []);
});

test("the live run of the default prompt has the recorded run's numbers", async (t) => {
  const { figure } = await openFigure(site, t);
  const { steps } = await figure.finished();
  const recorded = (await defaultTrace(site.url)).steps[0];
  const assertNear = (found, expected, what) =>
    assert.ok(
      Math.abs(found - expected) <= 1e-3 * Math.max(1, Math.abs(expected)),
      `${what}: ${found}, not ${expected}`,
    );
  for (const [token, { loss }] of recorded.tokens.entries()) {
    if (loss !== null) assertNear(steps[0].tokens[token].loss, loss, `loss of token ${token}`);
  }
  for (const [layer, { gate_logits }] of recorded.layers.entries()) {
    const { values } = steps[0].layers[layer].gate_logits;
    for (const [at, value] of gate_logits.values.entries())
      assertNear(values[at], value, `gate logit ${at} of layer ${layer}`);
  }
});
