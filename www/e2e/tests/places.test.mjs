// Places that lack what we assume: plain http, no storage, no network, graphics that hang, hosts that send something else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LAN_NAME } from "../lib/browser.mjs";
import { RUNG } from "../lib/environment.mjs";
import { beforeWorker, openFigure } from "../lib/figure.mjs";
import { originServer } from "../lib/origin_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const PAGE = "<!doctype html><title>Nothing here</title>";
const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
/** As a host sends files whose names change with their contents. */
const FOR_EVER = { "Cache-Control": "public, max-age=31536000, immutable" };

/** A host of the whole site, ended with the test. */
async function host(t, options) {
  const server = await originServer(site.url, options);
  t.after(server.close);
  return server;
}

/** A figure from this host; no route of the test's own is laid over it, which would switch the browser's cache off. */
function openFrom(t, server, options = {}) {
  // One engine: another would be one more file that a fault may meet.
  return openFigure(site, t, { path: server.url, newTokens: null, backend: "cpu", ...options });
}

const asked = (server, file) => server.requests.filter((path) => path.includes(file)).length;

/** The words behind the model's chip. */
async function kept(figure) {
  const chip = figure.host.locator(".chip.model");
  if (!(await chip.evaluate((it) => it.open))) await chip.locator("summary").click();
  return chip.locator(".kept");
}

// What hosts do to a file, and what is then said of it.

/** @type {[string, string, import("../lib/origin_server.mjs").Fault, RegExp][]} */
const ELEMENT_FILES = [
  [
    "the application's module is a web page",
    "web_bg",
    { body: PAGE, type: "text/html" },
    /Instead of web_bg.*a web page arrived/,
  ],
  ["the application's module is cut off", "web_bg", { cut: true }, /The connection ended before web_bg.* was whole/],
  ["the application's script is not there", "web.js", { status: 404 }, /There is no web.*\.js any more \(status 404\)/],
  ["the application's script has a wrong type", "web.js", { type: "text/plain" }, /web.*\.js came as text\/plain/],
];

for (const [name, file, fault, why] of ELEMENT_FILES) {
  test(`where ${name}, the figure says so`, async (t) => {
    const server = await host(t, { fault: (path) => path.includes(file) && fault });
    const { page, figure } = await openFrom(t, server);
    const error = await figure.error("The playground could not start.");
    assert.match(error.why, why);
    assert.doesNotMatch(error.why + error.try_this, /update the browser|Error:|https?:/i);
    assert.match(error.details, /http:/, "the address is a detail");
    const alert = figure.host.getByRole("alert");
    assert.match(await alert.textContent(), why);
    assert.equal(await alert.locator("details").evaluate((it) => it.open), false);
    assert.equal(page.workers().length, 0);
  });
}

/** @type {[string, string, RegExp][]} */
const DIALOG_FILES = [
  [
    "the dialogs' module is",
    "dialogs.js",
    /There is no dialogs.*\.js any more \(status 404\): the site was probably updated/,
  ],
  ["a module that they import is", "save.js", /Something unexpected happened/],
  ["what would explain it is, too,", "/(dialogs|arrived)", /Something unexpected happened/],
];

for (const [name, files, why] of DIALOG_FILES) {
  test(`where ${name} gone since the page was loaded, Save says so, and the figure goes on`, async (t) => {
    const server = await host(t, { fault: (path) => new RegExp(files).test(path) && { status: 404 } });
    const { page, figure } = await openFrom(t, server, { attributes: { backend: "recorded" } });
    await figure.recorded();
    await figure.button("Save").click();
    const alert = figure.host.getByRole("alert");
    await alert.waitFor();
    const error = await figure.error("What saves and shares could not be loaded.");
    assert.match(error.why, why);
    assert.match(error.try_this, /reload/i);
    assert.match(await alert.textContent(), why);
    // The figure is as it was, and what it said can be put away.
    const step = await figure.shownStep();
    await figure.button("Step forward").click();
    await figure.atStep(step + 2);
    await alert.getByRole("button", { name: "Dismiss" }).click();
    await alert.waitFor({ state: "hidden" });
    // Another press says it again; the page that comes with a reload has the files.
    await figure.button("Save").click();
    await alert.waitFor();
    server.fault = () => undefined;
    await Promise.all([page.waitForEvent("load"), alert.getByRole("button", { name: "Reload" }).click()]);
    await figure.recorded();
    await figure.button("Save").click();
    await figure.host.getByRole("dialog").waitFor();
  });
}

/** @type {[string, string, import("../lib/origin_server.mjs").Fault, RegExp][]} */
const ENGINE_FILES = [
  ["the worker's script is gone", "/worker.js", { status: 404 }, /worker\.js was answered with status 404/],
  [
    "the worker's script is a web page",
    "/worker.js",
    { body: PAGE, type: "text/html" },
    /Instead of worker\.js a web page arrived/,
  ],
  [
    "the worker's script has a wrong type",
    "/worker.js",
    { type: "text/plain" },
    /does not take worker\.js for a script/,
  ],
  [
    "the engine's script is gone",
    "/moe_worker.js",
    { status: 404 },
    /There is no moe_worker\.js any more \(status 404\)/,
  ],
  [
    "the engine is a web page",
    "moe_worker_bg.wasm",
    { body: PAGE },
    /Instead of moe_worker_bg\.wasm a web page arrived/,
  ],
  [
    "the engine is a Git LFS pointer",
    "moe_worker_bg.wasm",
    { body: POINTER },
    /Instead of moe_worker_bg\.wasm a Git LFS pointer arrived/,
  ],
  [
    "the engine is cut off",
    "moe_worker_bg.wasm",
    { cut: true },
    /The connection ended before moe_worker_bg\.wasm was whole/,
  ],
  ["the engine is refused", "moe_worker_bg.wasm", { status: 403 }, /answered for moe_worker_bg\.wasm with status 403/],
];

for (const [name, file, fault, why] of ENGINE_FILES) {
  test(`where ${name}, it is asked for once, and the notice's button does what its words say`, async (t) => {
    const server = await host(t, { fault: (path) => path.includes(file) && fault });
    const { page, figure } = await openFrom(t, server);
    const error = await figure.error("The engine could not be loaded.");
    assert.match(error.why, why);
    assert.doesNotMatch(error.why + error.try_this, /update the browser|Error:|https?:/i);
    await figure.told("The engine could not be loaded.");
    await figure.recorded();
    assert.equal(await page.evaluate(() => window.moe.errors.length), 1, "it is told once");
    // Once to load it, once to see what arrived.
    assert.ok(asked(server, file) <= 3, `${asked(server, file)} times`);
    assert.equal(page.workers().length, 0);
    server.fault = () => undefined;
    // What another deployment replaced, this page would ask for in vain.
    const [way, other] = error.try_this.startsWith("Reload") ? ["Reload", "Retry"] : ["Retry", "Reload"];
    if (/status 404/.test(error.why)) assert.equal(way, "Reload");
    assert.equal(await figure.button(other).count(), 0);
    await Promise.all([way === "Reload" && page.waitForEvent("load"), figure.button(way).first().click()]);
    await figure.live();
    await figure.notice.waitFor({ state: "hidden" });
  });
}

/** @type {[string, string, import("../lib/origin_server.mjs").Fault, RegExp][]} */
const MODEL_FILES = [
  [
    "manifest is a web page",
    "manifest.json",
    { body: PAGE, type: "text/html" },
    /Instead of manifest\.json a web page arrived/,
  ],
  [
    "manifest is endless",
    "manifest.json",
    { body: " ".repeat(2 << 20) },
    /manifest\.json has more than the 1048576 bytes/,
  ],
  [
    "weights are a Git LFS pointer",
    "weights.safetensors",
    { body: POINTER },
    /Instead of weights\.safetensors a Git LFS pointer/,
  ],
  [
    "weights are not there",
    "weights.safetensors",
    { status: 404 },
    /There is no weights\.safetensors at its address \(status 404\)/,
  ],
  ["tokenizer is refused", "tokenizer.json", { status: 403 }, /does not give out tokenizer\.json \(status 403\)/],
  ["tokenizer is empty", "tokenizer.json", { body: "" }, /Instead of tokenizer\.json an empty file arrived/],
];

for (const [name, file, fault, why] of MODEL_FILES) {
  test(`where a model's ${name}, it is asked for once`, async (t) => {
    const server = await host(t, { fault: (path) => path.includes(`default/${file}`) && fault });
    const { figure } = await openFrom(t, server);
    const error = await figure.error("The model could not be fetched.");
    assert.match(error.why, why);
    assert.doesNotMatch(error.why + error.try_this, /https?:/);
    assert.ok(error.details.includes(file));
    await figure.recorded();
    assert.equal(asked(server, `default/${file}`), 1);
  });
}

// A host of static files may know nothing of WebAssembly.
for (const [whose, file, path] of [
  ["the page's own module", "web_bg", ""],
  ["a figure's module", "figure_bg", "figure.html"],
  ["the engine", "moe_worker_bg", ""],
]) {
  test(`where ${whose} comes as plain text, it is compiled all the same, and a run comes to its end`, async (t) => {
    const wrong = [];
    const server = await host(t, {
      fault: (path) => {
        if (path === "/figure.html") {
          const tag = `<moe-playground view="lanes" controls="run" activate="auto"></moe-playground>`;
          const body = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="assets/element.js"></script>${tag}`;
          return { status: 200, body, type: "text/html" };
        }
        if (!path.includes(file) || !path.endsWith(".wasm")) return undefined;
        wrong.push(path);
        return { type: "text/plain" };
      },
    });
    const { figure, problems } = await openFrom(t, server, { path: `${server.url}${path}` });
    const { header } = await figure.finished();
    assert.match(header.origin.source, /^live/);
    assert.equal(wrong.length, 1, `${wrong}`);
    assert.deepEqual(problems, []);
  });
}

test("a model of a host that does not exist is given up at once", async (t) => {
  const asked = [];
  const { figure } = await openFigure(site, t, {
    attributes: { model: "http://nowhere.invalid/model/" },
    prepare: (page) =>
      page.context().on("request", (request) => {
        if (request.url().includes("nowhere.invalid")) asked.push(request.url());
      }),
  });
  const error = await figure.error("The model could not be fetched.");
  await figure.recorded();
  assert.deepEqual(asked, ["http://nowhere.invalid/model/manifest.json"], "asked for once");
  assert.match(
    error.why,
    /Nothing came back for manifest\.json: no connection, or its host lets no other site read it/,
  );
});

test("a recorded run that is a web page is called that", async (t) => {
  const server = await host(t, { fault: (path) => path.includes("default.jsonl") && { body: PAGE } });
  const { figure } = await openFrom(t, server, { attributes: { backend: "recorded" } });
  const { why } = await figure.error("The recorded run could not be shown.");
  assert.equal(why, "Instead of default.jsonl a web page arrived.");
});

// What browsers lack.

test("over plain http on a name of the house the model runs, and the page says what is missing", async (t) => {
  const server = await host(t, { host: LAN_NAME });
  const { page, figure, problems } = await openFrom(t, server, { backend: "auto" });
  assert.equal(await page.evaluate(() => isSecureContext), false);
  const { source, backend } = await figure.live();
  assert.equal(source, "live_cpu");
  assert.equal(backend.why, "the page came over plain http, where browsers offer no WebGPU");
  await figure.finished();
  const words = await kept(figure);
  await words.filter({ hasText: "the page came over plain http, where browsers have no storage for it" }).waitFor();
  assert.equal(await words.getByRole("button").count(), 0, "there is nothing to remove");
  assert.deepEqual(problems, []);
});

const REFUSED = 'CacheStorage.prototype.open = async () => { throw new DOMException("no", "SecurityError"); };';
const FULL = 'Cache.prototype.put = async () => { throw new DOMException("full", "QuotaExceededError"); };';
const SILENT = "CacheStorage.prototype.open = () => new Promise(() => {});";
const SILENT_LATER = "Cache.prototype.match = () => new Promise(() => {});";

for (const [name, line, why] of [
  ["refused", REFUSED, "this browser refuses to store it"],
  ["full", FULL, "this browser has no room left for it"],
  ["silent", SILENT, "this browser's storage does not answer"],
  ["silent once it is open", SILENT_LATER, "this browser's storage does not answer"],
]) {
  test(`where the storage is ${name}, the model runs and is not kept`, async (t) => {
    const { figure, problems } = await openFigure(site, t, { prepare: (page) => beforeWorker(page, line) });
    await figure.live();
    await figure.finished();
    await (await kept(figure)).filter({ hasText: `A later visit downloads the model again: ${why}.` }).waitFor();
    assert.equal(await figure.notice.count(), 0, "nothing is wrong with the run");
    assert.deepEqual(problems, []);
  });
}

test("what the browser dropped comes over the network again", async (t) => {
  const server = await host(t);
  const { page, figure } = await openFrom(t, server);
  await figure.live();
  await (await kept(figure)).filter({ hasText: "3.8 MB of models are kept" }).waitFor();
  await page.evaluate(() => caches.delete("moe-playground-models"));
  await page.reload();
  await figure.live();
  assert.equal(asked(server, "weights.safetensors"), 2);
});

const SILENT_ADAPTER = `Object.defineProperty(WorkerNavigator.prototype, "gpu", {
  value: { requestAdapter: () => new Promise(() => {}) },
});`;
const SILENT_DEVICE = "GPUAdapter.prototype.requestDevice = () => new Promise(() => {});";

for (const [name, line, rungs] of [
  ["adapter", SILENT_ADAPTER, ["cpu", "webgpu"]],
  ["device", SILENT_DEVICE, ["webgpu"]],
]) {
  test(`where the graphics ${name} never answers for eight seconds, the CPU runs, and the page says so`, {
    skip: !rungs.includes(RUNG) && "this browser has none",
  }, async (t) => {
    const { page, figure } = await openFigure(site, t, {
      backend: "auto",
      prepare: (page) => beforeWorker(page, line),
    });
    assert.equal((await figure.live()).backend.rung, "cpu");
    await figure.finished();
    await figure.engineSays(/: WebGPU did not answer for 8 seconds\.$/);
    const waited_ms = await page.evaluate(() => performance.now() - window.moe.loaded_ms);
    // The run that has ended meanwhile is in it.
    assert.ok(waited_ms < 12_000, `${waited_ms} ms after the last byte`);
  });
}

// Networks.

test("without a network a model that was loaded before starts again, and the list of models is there", async (t) => {
  const server = await host(t, { fault: (path) => !/models\//.test(path) && { headers: FOR_EVER } });
  const { page, figure } = await openFrom(t, server);
  await figure.live();
  await (await kept(figure)).filter({ hasText: "are kept in this browser" }).waitFor();
  server.isDown = true;
  // The page itself comes from the browser's cache, as from a host that lets it be kept.
  await page.goto("about:blank");
  await page.goto(server.url);
  await figure.live();
  await figure.finished();
  await figure.host.locator(".chip.model summary").click();
  assert.ok((await figure.host.getByRole("list", { name: "Models" }).getByRole("button").count()) > 1);
});

for (const [how, fault] of Object.entries({
  "is answered by a web page": { status: 200, body: "<!doctype html><title>Log in</title>", type: "text/html" },
  "is cut off in the middle": { status: 200, body: '{"version": 1, "name": "def', type: "application/json" },
  "is empty": { status: 200, body: "", type: "application/json" },
  "meets a host in trouble": { status: 503, body: "", type: "text/plain" },
})) {
  test(`where the manifest ${how}, a model that was loaded before starts as it is kept`, async (t) => {
    const { page, figure } = await openFrom(t, await host(t));
    await figure.live();
    await (await kept(figure)).filter({ hasText: "are kept in this browser" }).waitFor();
    const { status, body, type: contentType } = fault;
    let asked = 0;
    await page.context().route(/\/manifest\.json$/, (route) => {
      asked += 1;
      return route.fulfill({ status, body, contentType });
    });
    await page.reload();
    await figure.live();
    await figure.finished();
    assert.equal(asked, 1, "asked for once, and not believed");
  });
}

test("a manifest that is gone is not replaced by the kept one", async (t) => {
  for (const { status, says } of [
    { status: 404, says: /There is no manifest\.json at its address/ },
    { status: 403, says: /does not give out manifest\.json/ },
  ]) {
    const { page, figure } = await openFrom(t, await host(t));
    await figure.live();
    await (await kept(figure)).filter({ hasText: "are kept in this browser" }).waitFor();
    await page.context().route(/\/manifest\.json$/, (route) => route.fulfill({ status, body: "" }));
    await page.reload();
    const { why } = await figure.error("The model could not be fetched.");
    assert.match(why, says);
  }
});

test("a slow network is one figure of engine and model, with the time that is left", async (t) => {
  const bytesPerSecond = 800_000;
  const slow = /moe_worker_bg\.wasm|weights\.safetensors/;
  const server = await host(t, { fault: (path) => slow.test(path) && { bytesPerSecond } });
  const { page, figure } = await openFrom(t, server);
  await figure.engine.filter({ hasText: /loading .* of .* · \d+ s left/ }).waitFor();
  const words = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = new Set();
        const look = () => {
          // The chip with a reason to show is another element.
          const words = document.querySelector("moe-playground").shadowRoot.querySelector(".engine").textContent;
          seen.add(words);
          if (/live on/.test(words)) resolve([...seen]);
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  const totals = new Set(words.flatMap((text) => text.match(/ of ([\d.]+ MB)/)?.[1] ?? []));
  assert.equal(totals.size, 1, `one total from the first byte to the last: ${[...totals]}`);
  const loaded = words.flatMap((text) => text.match(/loading ([\d.]+) MB/)?.[1] ?? []).map(Number);
  assert.deepEqual(
    loaded,
    [...loaded].sort((a, b) => a - b),
    "it never goes back",
  );
  const left = words.flatMap((text) => text.match(/ (\d+) s left/)?.[1] ?? []).map(Number);
  assert.ok(left.length > 2 && left.at(-1) <= 2 && left[0] > left.at(-1), `${left}`);
});

// What is kept.

/** What the browser's cache of models holds: paths with the first letters of a hash. */
function entries(page) {
  return page.evaluate(async () => {
    const cache = await caches.open("moe-playground-models");
    const urls = (await cache.keys()).map(({ url }) => new URL(url));
    return urls.map(({ pathname, search }) => pathname.split("/").at(-1) + search.slice(0, 12)).sort();
  });
}

test("the cache keeps what the last manifests need, and drops the rest", async (t) => {
  const server = await host(t);
  const { page, figure } = await openFrom(t, server);
  await page.evaluate(async () => {
    const cache = await caches.open("moe-playground-models");
    await cache.put("/models/default/weights.safetensors?sha256=of-an-earlier-version", new Response("old"));
  });
  await page.reload();
  await figure.live();
  await (await kept(figure)).filter({ hasText: "3.8 MB of models are kept" }).waitFor();
  const names = (await entries(page)).map((entry) => entry.split("?")[0]);
  assert.deepEqual(names, ["manifest.json", "tokenizer.json", "weights.safetensors"]);
});

test("the cache keeps what the last manifest of each model needs", async (t) => {
  const server = await host(t);
  const { page, figure } = await openFrom(t, server);
  await figure.live();
  await (await kept(figure)).filter({ hasText: "3.8 MB of models are kept" }).waitFor();
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("model", "models/hash/"));
  const { model } = await figure.live(2);
  assert.equal(model.name, "hash");
  await figure.host.locator(".chip.model .kept").filter({ hasText: "7.5 MB of models are kept" }).waitFor();
  const paths = await page.evaluate(async () => {
    const cache = await caches.open("moe-playground-models");
    return (await cache.keys()).map(({ url }) => new URL(url).pathname).sort();
  });
  const files = ["manifest.json", "tokenizer.json", "weights.safetensors"];
  assert.deepEqual(
    paths,
    ["default", "hash"].flatMap((model) => files.map((file) => `/models/${model}/${file}`)),
  );
});

test("what is kept can be removed on the page", async (t) => {
  const server = await host(t);
  const { page, figure } = await openFrom(t, server);
  await figure.live();
  const words = await kept(figure);
  await words.getByRole("button", { name: "Remove them" }).click();
  await words.filter({ hasText: "Nothing of a model is kept in this browser." }).waitFor();
  assert.deepEqual(await entries(page), []);
  await figure.finished();
});

test("a query in a model's address holds for its files, and is no other model to the cache", async (t) => {
  const server = await host(t);
  const { page, figure } = await openFrom(t, server, { attributes: { model: "models/default/?signature=a%2Fb" } });
  await figure.live();
  const files = ["manifest.json", "tokenizer.json", "weights.safetensors"];
  for (const file of files) assert.equal(asked(server, `default/${file}?signature=a%2Fb`), 1, file);
  await (await kept(figure)).filter({ hasText: "are kept" }).waitFor();
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("model", "models/default/?v=2"));
  await figure.live(2);
  assert.equal(asked(server, "manifest.json?v=2"), 1);
  assert.equal(asked(server, "weights.safetensors"), 1, "the weights come from the cache");
});
