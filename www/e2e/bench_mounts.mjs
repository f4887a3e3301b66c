// What figures leave behind in their host's page: one after the other is put into the page, goes live, runs, and is taken
// out again; memory, nodes, listeners and workers are counted where none is there.
//
//   node bench_mounts.mjs [--mounts 50] [--every 10] [--json FILE]
//
// On the CPU. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";

const { values: options } = parseArgs({
  options: {
    mounts: { type: "string", default: "50" },
    every: { type: "string", default: "10" },
    json: { type: "string" },
  },
});
const [MOUNTS, EVERY] = [Number(options.mounts), Number(options.every)];

const browser = await launch("cpu");
const { page, problems, close } = await newPage(browser);
page.setDefaultTimeout(120_000);
await page.addInitScript(noteMemories);
// A host's page with nothing in it but the script that an author adds.
await page.route(`${SITE_URL}host.html`, (route) =>
  route.fulfill({
    contentType: "text/html",
    body: '<!doctype html><script type="module" src="assets/element.js"></script>',
  }),
);
await page.goto(`${SITE_URL}host.html`);
const session = await page.context().newCDPSession(page);
await session.send("Performance.enable");

const samples = [];
// The first one brings the module and its memory, which stay for the next.
for (let mount = 1; mount <= MOUNTS; mount += 1) {
  await page.evaluate(mountOnce);
  if (mount === 1 || mount % EVERY === 0) samples.push({ mounts: mount, ...(await left()) });
}
await close();
await browser.close();
if (problems.length > 0) throw new Error(problems.join("\n"));
const results = { browser: browser.version(), cpu: `${cpus().length} × ${cpus()[0]?.model}`, samples };
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table());

/** In the page: keeps every memory of a module of ours. */
function noteMemories() {
  const memories = [];
  globalThis.moeMemories = memories;
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const before = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (...from) => {
      const made = await before(...from);
      memories.push((made.instance ?? made).exports.memory);
      return made;
    };
  }
}

/** In the page: a figure from its beginning to its end. */
async function mountOnce() {
  const element = document.createElement("moe-playground");
  for (const [name, value] of Object.entries({
    view: "strip lanes",
    backend: "cpu",
    activate: "auto",
    loading: "eager",
  })) {
    element.setAttribute(name, value);
  }
  document.body.append(element);
  await /** @type {any} */ (element).run("The cat sat on the mat");
  element.remove();
}

/** What there is once nobody needs it any more. */
async function left() {
  await page.waitForTimeout(300);
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  const wasm = await page.evaluate(() =>
    globalThis.moeMemories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
  );
  return {
    heap_bytes: of("JSHeapUsedSize"),
    wasm_bytes: wasm,
    nodes: of("Nodes"),
    listeners: of("JSEventListeners"),
    workers: page.workers().length,
  };
}

function table() {
  const mega = (bytes) => (bytes / 1e6).toFixed(2);
  const lines = [
    "| figures mounted and removed | JavaScript heap, MB | memory of the page's module, MB | nodes | listeners | workers |",
    "| ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const { mounts, heap_bytes, wasm_bytes, nodes, listeners, workers } of samples) {
    lines.push(`| ${mounts} | ${mega(heap_bytes)} | ${mega(wasm_bytes)} | ${nodes} | ${listeners} | ${workers} |`);
  }
  return lines.join("\n");
}
