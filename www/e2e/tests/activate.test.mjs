// When the engine may start: until then a figure loads nothing of it, and stands on its recorded run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const OF_ENGINE = /\/(worker|moe_worker)[^/]*\.(js|wasm)$|\/models\//;
const LIVE = /^live_/;

/** A figure that waits, with its recorded run on the screen, and what has been asked for of the engine and its model. */
async function waiting(t, activate) {
  const requests = [];
  const view = "view=lanes&controls=capacity%20run&max-tokens=1";
  const opened = await openFigure(site, t, {
    path: `embed.html?${view}&activate=${activate}`,
    prepare: (page) => page.on("request", (request) => OF_ENGINE.test(request.url()) && requests.push(request.url())),
  });
  const { source } = await opened.figure.recorded();
  assert.equal(source, "recorded");
  await opened.figure.panel("lanes").locator(".lane").first().waitFor();
  return { ...opened, requests };
}

const moveCapacity = ({ capacityFactor }) => capacityFactor.fill("0.5");

test("with activate=interaction the engine starts with the first setting that needs it", async (t) => {
  const { figure, page, requests, problems } = await waiting(t, "interaction");
  // What only looks around needs no engine.
  await figure.panel("lanes").locator(".lane").first().click();
  await page.waitForTimeout(500);
  assert.deepEqual(requests, []);
  await moveCapacity(figure);
  await figure.live();
  const { header } = await figure.finished();
  assert.match(header.origin.source, LIVE);
  assert.equal(header.request.routing.overflow.factor, 0.5);
  assert.deepEqual(problems, []);
});

test("with activate=manual it starts when Run is pressed, or a script asks for a run", async (t) => {
  const start = {
    button: (figure) => figure.button("Run").click(),
    script: (figure) => figure.host.evaluate((it) => void (/** @type {any} */ (it).run("Hello"))),
  };
  for (const [how, run] of Object.entries(start)) {
    const { figure, page, requests, problems } = await waiting(t, "manual");
    await moveCapacity(figure);
    await page.waitForTimeout(500);
    assert.deepEqual(requests, [], how);
    assert.match((await figure.engine.textContent()) ?? "", /recorded run/);
    await run(figure);
    await figure.live();
    const { header } = await figure.finished();
    assert.match(header.origin.source, LIVE, how);
    assert.deepEqual(problems, []);
  }
});

test("load() of a figure that waits for its reader is kept for another model too", async (t) => {
  const { figure, requests } = await waiting(t, "interaction");
  const source = await figure.host.evaluate(async (it) => {
    const element = /** @type {any} */ (it);
    await element.load();
    element.model = "switch";
    return (await element.load()).source;
  });
  assert.equal(source, "recorded");
  assert.deepEqual(requests, []);
});
