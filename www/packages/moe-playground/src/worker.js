// Starts an engine inside the worker: that of the CPU, or that of WebGPU, which is large. It must work before any wasm
// does, so it is written by hand.
//
// Two things can go wrong here that the engine cannot see: its module may fail to load, and the page may speak before
// the engine listens. Failures go to the page as the engine's own events; early messages are kept.

import { explained, raw } from "./arrived.js";
import { heldBack } from "./early.js";

const release = heldBack();

/** Tells the page that this worker is lost, in the form of the engine's event. What the browser says is a detail. */
function fail(what, error) {
  const details = raw(error);
  const why = /memory/i.test(details) ? "There was not enough memory." : "It met something that it was not made for.";
  const try_this = "If this repeats, reload the page.";
  self.postMessage({ failed: { run: null, error: { what, why, try_this, details }, fatal: true } });
}

// A trap, such as memory running out, ends the engine without a word of its own.
self.addEventListener("error", (event) => fail("The engine stopped working.", event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => fail("The engine stopped working.", event.reason));

const NOT_LOADED = "The engine could not be loaded.";
/** Script and module of each engine. Bundlers and hashed names want each address written out. */
const CPU = {
  load: () => import("./moe_worker.js"),
  script: new URL("./moe_worker.js", import.meta.url).href,
  module: new URL("./moe_worker_bg.wasm", import.meta.url).href,
};
const GPU = {
  load: () => import("./moe_worker_gpu.js"),
  script: new URL("./moe_worker_gpu.js", import.meta.url).href,
  module: new URL("./moe_worker_gpu_bg.wasm", import.meta.url).href,
};

/** The engine that the first command needs: WebGPU is asked for, or is to be tried. */
const neededFor = (command) => (command?.try || command?.load?.backend === "webgpu" ? GPU : CPU);

/** Tells the page how much of the engine has arrived, in the form of the engine's event. Without its size, nothing. */
async function report(response, total_bytes) {
  if (!response.ok || !response.body || !total_bytes) return;
  let loaded_bytes = 0;
  let told_ms = Number.NEGATIVE_INFINITY;
  const tell = () => {
    // As often as a page can draw it.
    if (performance.now() - told_ms < 110 && loaded_bytes < total_bytes) return;
    told_ms = performance.now();
    const progress = { part: "engine", loaded_bytes, total_bytes, from_cache: false, at_ms: performance.now() };
    self.postMessage({ progress });
  };
  tell();
  for await (const chunk of chunks(response.body.getReader())) {
    loaded_bytes = Math.min(loaded_bytes + chunk.length, total_bytes);
    tell();
  }
}

/** The browser's own cache takes no files as large as the engine; `moe-worker/src/cache.rs` removes this one too. */
const ENGINE_CACHE = "moe-playground-engine";

/** Keeps an engine for visits without a network, unless it is kept already. Those of other versions go. */
async function keep(module, response) {
  const version = (it) => it.headers.get("ETag") ?? it.headers.get("Last-Modified");
  const cache = await caches.open(ENGINE_CACHE);
  const before = await cache.match(module);
  if (!response.ok || (before && version(before) === version(response))) return response.body?.cancel();
  for (const request of await cache.keys()) {
    if (![CPU.module, GPU.module].includes(request.url)) await cache.delete(request);
  }
  await cache.put(module, response);
}

/** An engine as it was kept, where there is no network; else that there is none. */
async function kept(module, error) {
  const response = self.caches && (await caches.match(module, { cacheName: ENGINE_CACHE }));
  if (!response) throw error;
  return response;
}

/** By hand: not every browser can iterate over a stream. */
async function* chunks(reader) {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/** Loads an engine, and hands it what has arrived meanwhile. */
async function begin({ load, script, module }) {
  let asked = script;
  try {
    // Both at once: on a slow line each would wait for the other.
    const fetched = fetch(module).catch((error) => kept(module, error));
    fetched.catch(() => {});
    const { default: init, start, MODULE_BYTES } = await load();
    asked = module;
    const response = await fetched;
    // A browser without a storage, or with a full one, has it again over the network.
    keep(module, response.clone()).catch(() => {});
    // Compressed, the length that the host tells is another.
    const length = response.headers.has("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
    // What ends this ends the other as well, and is told there.
    report(response.clone(), MODULE_BYTES ?? length).catch(() => {});
    await init({ module_or_path: response });
    start();
    release();
  } catch (error) {
    // Another worker would ask for the same file.
    const unstartable = await explained(NOT_LOADED, asked, error);
    if (unstartable) self.postMessage({ unstartable });
    else fail(NOT_LOADED, error);
  }
}

self.addEventListener("message", ({ data }) => begin(neededFor(data)), { once: true });
