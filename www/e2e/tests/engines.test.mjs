// Two engines from one source: that of the CPU is live first, that of WebGPU is fetched beside it, and takes its place
// between two runs where it is right and fast enough; and the page says which runs, why, and how fast either is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RUNG } from "../lib/environment.mjs";
import { beforeWorker, KEEP_DEVICE, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const MODULE = /\/(moe_worker(?:_gpu)?)_bg[^/]*\.wasm$/;
const SKIP = { skip: RUNG !== "webgpu" && "this browser has none" };

/** In every worker: a clock that stands still, by which every step is done as soon as can be told. */
const STILL_CLOCK = "performance.now = () => 0;";

/** One that goes on by a second with each number that comes back from graphics. */
const SLOW_GPU = `{
    let now = 0;
    performance.now = () => now;
    const { mapAsync } = globalThis.GPUBuffer?.prototype ?? {};
    if (mapAsync) GPUBuffer.prototype.mapAsync = function (...values) { now += 1000; return mapAsync.apply(this, values); };
  }`;

/** A page that chooses by itself, and the engines' modules that it asks for, in order. */
async function open(t, line = "", options = {}) {
  const modules = [];
  const opened = await openFigure(site, t, {
    backend: "auto",
    prepare: async (page) => {
      page.on("request", (request) => {
        const [, name] = new URL(request.url()).pathname.match(MODULE) ?? [];
        if (name) modules.push(name);
      });
      if (line) await beforeWorker(page, line);
    },
    ...options,
  });
  return { ...opened, modules };
}

/** Waits until nothing is left of the worker that tried WebGPU. */
async function oneWorker(page) {
  while (page.workers().length > 1) await page.waitForTimeout(50);
}

test("without WebGPU its engine is never asked for", async (t) => {
  const line = 'Object.defineProperty(WorkerNavigator.prototype, "gpu", { value: undefined });';
  const { page, figure, modules, problems } = await open(t, line);
  const { source } = await figure.live();
  assert.equal(source, "live_cpu");
  await figure.finished();
  await figure.run("Once upon a time");
  await figure.finished({ after: 1 });
  await page.waitForTimeout(500);
  assert.deepEqual(modules, ["moe_worker"]);
  assert.deepEqual(problems, []);
});

test("without an adapter its engine is never asked for", async (t) => {
  const line = "if (navigator.gpu) navigator.gpu.requestAdapter = async () => null;";
  const { figure, modules, problems } = await open(t, line);
  await figure.finished();
  await figure.engineSays(/WebGPU found no graphics adapter|this browser offers no WebGPU/);
  assert.deepEqual(modules, ["moe_worker"]);
  assert.deepEqual(problems, []);
});

test("who asks for the CPU gets its engine alone", async (t) => {
  for (const backend of ["cpu", "cpu-f32"]) {
    const { page, figure, modules } = await open(t, "", { attributes: { backend } });
    await figure.finished();
    await page.waitForTimeout(500);
    assert.deepEqual(modules, ["moe_worker"], backend);
  }
});

test("who asks for WebGPU gets its engine alone", SKIP, async (t) => {
  const { figure, modules, problems } = await open(t, "", { attributes: { backend: "webgpu" } });
  assert.equal((await figure.live()).source, "live_gpu");
  await figure.finished();
  assert.deepEqual(modules, ["moe_worker_gpu"]);
  assert.deepEqual(problems, []);
});

test("the CPU is live first, and WebGPU takes its place between two runs", SKIP, async (t) => {
  const { page, figure, modules, problems } = await open(t, STILL_CLOCK);
  assert.equal((await figure.live()).source, "live_cpu");
  const { header } = await figure.finished();
  assert.equal(header.origin.source, "live_cpu");
  const { source, backend } = await figure.live(2);
  assert.equal(source, "live_gpu");
  assert.match(backend.why, /^it computes what the CPU does, and makes 20000 steps a second, and the CPU 20000 /);
  await oneWorker(page);
  assert.deepEqual(modules, ["moe_worker", "moe_worker_gpu"]);
  assert.match(
    (await figure.engine.textContent()) ?? "",
    /live on your GPU[\s\S]*20000 steps a second, and the CPU 20000/,
  );
  assert.equal((await figure.trace()).header.origin.source, "live_cpu", "the run on the screen is still the CPU's");

  await figure.run("Once upon a time");
  const after = await figure.finished({ after: 1 });
  assert.equal(after.header.origin.source, "live_gpu");
  assert.deepEqual(problems, []);
});

test("a GPU that is slower than half the CPU leaves it where it is, with both rates", SKIP, async (t) => {
  const { page, figure, modules, problems } = await open(t, SLOW_GPU);
  await figure.finished();
  await figure.engineSays(/WebGPU \(.+\) makes [01] steps a second, and the CPU 20000 \(backend="webgpu"/);
  await oneWorker(page);
  assert.deepEqual(modules, ["moe_worker", "moe_worker_gpu"]);
  assert.match((await figure.engine.textContent()) ?? "", /live on your CPU/);
  await figure.run("Once upon a time");
  const { header } = await figure.finished({ after: 1 });
  assert.equal(header.origin.source, "live_cpu");
  await page.waitForTimeout(500);
  assert.deepEqual(modules, ["moe_worker", "moe_worker_gpu"], "it is not tried again");
  assert.deepEqual(problems, []);
});

test("an engine of WebGPU that is not there troubles nobody", SKIP, async (t) => {
  const { page, figure } = await open(t, "", {
    prepare: (page) => page.context().route(/\/moe_worker_gpu_bg[^/]*\.wasm$/, (route) => route.abort()),
  });
  await figure.finished();
  await figure.engineSays(/WebGPU was tried and failed \(/);
  await oneWorker(page);
  assert.equal(await figure.notice.count(), 0);
  await figure.run("Once upon a time");
  await figure.finished({ after: 1 });
});

test("a figure asks for the engine of WebGPU once it is used", SKIP, async (t) => {
  const path = "embed.html?view=lanes&controls=capacity%20run&max-tokens=1&loading=eager";
  const { page, figure, modules } = await open(t, STILL_CLOCK, { path });
  await figure.live();
  await figure.finished();
  await figure.panel("lanes").locator(".lane").first().click();
  await page.waitForTimeout(1000);
  assert.deepEqual(modules, ["moe_worker"]);
  await figure.button("Run").click();
  await figure.live(2);
  assert.deepEqual(modules, ["moe_worker", "moe_worker_gpu"]);
});

test("what ran on a graphics device that is lost goes on on the CPU, and the page says why", SKIP, async (t) => {
  const { page, figure } = await open(t, `${KEEP_DEVICE}\n${STILL_CLOCK}`);
  assert.equal((await figure.live(2)).source, "live_gpu");
  await oneWorker(page);
  await page.workers()[0].evaluate(() => self.moeDevice.destroy());
  await figure.run("My own words");
  const { why } = await figure.error("The engine stopped working.");
  assert.ok(why);
  const { source, backend } = await figure.live(3);
  assert.equal(source, "live_cpu");
  assert.match(backend.why, /^the GPU failed \([\s\S]+\); reload the page to try it again$/);
  const { header } = await figure.finished({ after: 2 });
  assert.deepEqual([header.origin.source, header.request.prompt], ["live_cpu", "My own words"]);
  assert.match((await figure.engine.textContent()) ?? "", /live on your CPU[\s\S]*the GPU failed/);
});
