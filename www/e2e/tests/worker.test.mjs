// The worker's bootstrap: it loses no message, and says so in the engine's own words when the engine cannot load.

import assert from "node:assert/strict";
import { test } from "node:test";

import { suite } from "../lib/suite.mjs";

const site = suite();

/** Starts the worker by its plain name, speaks to it at once, and returns the first thing it says. */
function firstAnswer(page) {
  return page.evaluate(() => {
    const worker = new Worker("/assets/worker.js", { type: "module" });
    const manifest_url = new URL("/models/there-is-none/manifest.json", location.href).href;
    worker.postMessage({ load: { manifest_url, backend: "cpu" } });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    }).finally(() => worker.terminate());
  });
}

test("a message sent before the engine is there is answered", async (t) => {
  const { page } = await site.open(t, "404.html");
  const answer = await firstAnswer(page);
  // There is no such model; the answer comes from the engine, which is what counts here.
  const [[said, content]] = Object.entries(answer);
  assert.ok(["failed", "progress", "ready"].includes(said), JSON.stringify(answer));
  assert.ok(!content.error?.what.startsWith("The engine could not be loaded"), JSON.stringify(answer));
});

test("an engine that cannot be loaded is told as an event of its own", async (t) => {
  const { page } = await site.open(t, "404.html", {
    prepare: (page) => page.context().route(/\/moe_worker_bg[^/]*\.wasm$/, (route) => route.abort()),
  });
  const { unstartable } = await firstAnswer(page);
  assert.ok(unstartable.what && unstartable.why && unstartable.try_this);
  assert.match(unstartable.details, /moe_worker_bg/);
});
