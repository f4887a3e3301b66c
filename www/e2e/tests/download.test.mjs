// The model's files: fetched once, kept, and fetched again where they arrived broken.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { originServer } from "../lib/origin_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const WEIGHTS = /\/weights\.safetensors$/;

/** Grows with the name of every file of a model that is asked for over the network. */
function fetchedFiles(page) {
  const files = [];
  page
    .context()
    .on("request", (request) => /\/models\/[^/]+\//.test(request.url()) && files.push(request.url().split("/").at(-1)));
  return files;
}

/** Passes on what matches, the first `times` answers changed by `damage`. */
async function damaged(page, pattern, times, damage) {
  let left = times;
  await page.context().route(pattern, async (route) => {
    const response = await route.fetch();
    left -= 1;
    await route.fulfill({ response, body: left < 0 ? await response.body() : damage(await response.body()) });
  });
}

function withFlippedBit(body) {
  const flipped = Buffer.from(body);
  flipped[flipped.length >> 1] ^= 1;
  return flipped;
}

const withoutItsEnd = (body) => body.subarray(0, body.length - 1000);

/** Progress of the model as the worker reported it, in order. */
async function progress(page) {
  const reports = await page.evaluate(() => window.moe.messages.flatMap(({ progress }) => progress ?? []));
  return reports.filter(({ part }) => part === "model");
}

test("progress counts every byte of the model and reaches its end", async (t) => {
  const { page, figure, problems } = await openFigure(site, t);
  const { model } = await figure.live();
  const reports = await progress(page);
  const { total_bytes } = reports[0];
  assert.ok(total_bytes > model.weights_bytes, "weights and tokenizer");
  assert.deepEqual(
    reports.filter((report) => report.from_cache || report.total_bytes !== total_bytes),
    [],
  );
  assert.equal(reports.at(-1).loaded_bytes, total_bytes);
  const loaded = reports.map(({ loaded_bytes }) => loaded_bytes);
  assert.deepEqual(
    loaded,
    [...loaded].sort((a, b) => a - b),
    "it never goes back",
  );
  assert.deepEqual(problems, []);
});

test("a second visit takes the model from the cache", async (t) => {
  let files;
  const { page, figure, problems } = await openFigure(site, t, { prepare: (page) => (files = fetchedFiles(page)) });
  await figure.live();
  assert.deepEqual([...files].sort(), ["manifest.json", "tokenizer.json", "weights.safetensors"]);
  files.length = 0;
  await page.reload();
  await figure.live();
  assert.deepEqual(files, ["manifest.json"]);
  const reports = await progress(page);
  assert.ok(reports.length > 0 && reports.every(({ from_cache }) => from_cache), JSON.stringify(reports));
  await figure.finished();
  assert.deepEqual(problems, []);
});

for (const [name, damage] of [
  ["corrupt", withFlippedBit],
  ["short", withoutItsEnd],
]) {
  test(`a file that arrives ${name} is thrown away and fetched again`, async (t) => {
    let files;
    const { page, figure } = await openFigure(site, t, {
      prepare: async (page) => {
        files = fetchedFiles(page);
        await damaged(page, WEIGHTS, 1, damage);
      },
    });
    const { model } = await figure.live();
    assert.ok(model.num_parameters > 0);
    assert.equal(files.filter((file) => file === "weights.safetensors").length, 2);
    await figure.finished();
    // What the cache holds is the good copy.
    files.length = 0;
    await page.reload();
    await figure.live();
    assert.deepEqual(files, ["manifest.json"]);
  });
}

test("a download that is cut off is made again", async (t) => {
  const server = await originServer(site.url, {
    fault: (path, count) => WEIGHTS.test(path) && count === 1 && { cut: true },
  });
  t.after(server.close);
  const { figure } = await openFigure(site, t, { attributes: { model: `${server.url}models/default/` } });
  await figure.live();
  assert.equal(server.requests.filter((path) => WEIGHTS.test(path)).length, 2);
  await figure.finished();
});

test("a file that stays corrupt is refused with the reason, and Retry fetches it again", async (t) => {
  const { page, figure } = await openFigure(site, t, { prepare: (page) => damaged(page, WEIGHTS, 2, withFlippedBit) });
  const { what, why, try_this } = await figure.error("The model could not be fetched.");
  assert.match(why, /weights\.safetensors arrived corrupt.*thrown away/);
  assert.match(try_this, /Retry/);
  await figure.told(what);
  assert.equal((await figure.trace()).header.origin.source, "recorded");
  await figure.button("Retry").first().click();
  await figure.live();
  await figure.notice.waitFor({ state: "hidden" });
  assert.equal(page.workers().length, 1, "the worker before was ended");
});

test("where there is no model the page says so, and the recorded run stays", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    prepare: (page) => page.context().route(/\/manifest\.json$/, (route) => route.fulfill({ status: 404, body: "" })),
  });
  const { what, why } = await figure.error("The model could not be fetched.");
  assert.match(why, /There is no manifest\.json at its address \(status 404\)/);
  await figure.told(what);
  const { source, backend } = await figure.recorded();
  assert.deepEqual({ source, backend }, { source: "recorded", backend: null });
  assert.match(await figure.engine.textContent(), /recorded run · no engine/);
  const { header, steps } = await figure.trace();
  assert.ok(header.origin.source === "recorded" && steps.length > 1);
  await figure.button("Step forward").click();
  assert.equal(page.workers().length, 0, "no worker is kept for nothing");
});

test("a model's description that cannot be read is told", async (t) => {
  const { figure } = await openFigure(site, t, {
    prepare: (page) => page.context().route(/\/manifest\.json$/, (route) => route.fulfill({ json: { version: 1 } })),
  });
  const { why, details } = await figure.error("The model's description could not be read.");
  assert.equal(why, "manifest.json is not one, or not whole.");
  assert.match(details, /missing field/);
  await figure.recorded();
});
