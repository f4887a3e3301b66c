// The ladder: WebGPU where it is asked for, the CPU, or the recorded run; and the page says which, and why. What a page
// chooses by itself: engines.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RUNG } from "../lib/environment.mjs";
import { beforeWorker, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const NO_WEBGPU = 'Object.defineProperty(WorkerNavigator.prototype, "gpu", { value: undefined });';
const NO_ADAPTER = "if (navigator.gpu) navigator.gpu.requestAdapter = async () => null;";

/** The chip's words and, once it is opened, which backend and why. */
async function chip({ engine }) {
  const words = await engine.locator("summary").textContent();
  const more = engine.locator(".more");
  assert.ok(!(await more.isVisible()), "the reason waits until it is asked for");
  await engine.locator("summary").click();
  assert.ok(await more.isVisible());
  return { words, why: await more.textContent() };
}

test("without WebGPU the model runs on the CPU, and the page says why", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    backend: "auto",
    prepare: (page) => beforeWorker(page, NO_WEBGPU),
  });
  const { source, backend } = await figure.live();
  assert.equal(source, "live_cpu");
  assert.equal(backend.why, "this browser offers no WebGPU");
  const { header } = await figure.finished();
  assert.equal(header.origin.source, "live_cpu");
  const { words, why } = await chip(figure);
  assert.match(words, /live on your CPU/);
  assert.match(why, /this browser offers no WebGPU/);
  assert.deepEqual(problems, []);
});

test("where WebGPU finds no adapter the model runs on the CPU, and the page says why", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    backend: "auto",
    prepare: (page) => beforeWorker(page, NO_ADAPTER),
  });
  const { source } = await figure.live();
  assert.equal(source, "live_cpu");
  // A browser without WebGPU at all has no adapter to look for.
  const reason = /WebGPU found no graphics adapter|this browser offers no WebGPU/;
  await figure.engineSays(reason);
  assert.match((await chip(figure)).why, reason);
  assert.deepEqual(problems, []);
});

test("the CPU is used where it is asked for", async (t) => {
  const { figure } = await openFigure(site, t, { attributes: { backend: "cpu" } });
  const { source, backend } = await figure.live();
  assert.deepEqual(
    { source, rung: backend.rung, why: backend.why },
    { source: "live_cpu", rung: "cpu", why: "you asked for the CPU" },
  );
});

test("where only WebGPU is asked for and there is none, the recorded run stays with the reason", async (t) => {
  const { figure } = await openFigure(site, t, {
    attributes: { backend: "webgpu" },
    prepare: (page) => beforeWorker(page, NO_WEBGPU),
  });
  const { why, try_this } = await figure.error("WebGPU is not available.");
  assert.match(why, /this browser offers no WebGPU/i);
  assert.ok(try_this);
  await figure.told(why);
  await figure.recorded();
  assert.equal((await figure.trace()).header.origin.source, "recorded");
});

/** A GPU that brings back other numbers than it computed: finite ones, and nobody complains. Ids stay what they are. */
const WRONG_GPU = `
  const { getMappedRange } = globalThis.GPUBuffer?.prototype ?? {};
  const wrong = (value) => (Number.isInteger(value) ? value : 1.5 * value);
  if (getMappedRange) GPUBuffer.prototype.getMappedRange = function (...range) {
    const bytes = getMappedRange.apply(this, range);
    if (this.usage & GPUBufferUsage.MAP_READ) {
      const values = new Float32Array(bytes);
      values.set(values.map(wrong));
    }
    return bytes;
  };`;
const NO_GPU_HERE = RUNG !== "webgpu" && "this browser has none";

test("a GPU that computes something else is not believed", { skip: NO_GPU_HERE }, async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    backend: "auto",
    prepare: (page) => beforeWorker(page, WRONG_GPU),
  });
  assert.equal((await figure.live()).source, "live_cpu");
  await figure.engineSays(/: the GPU computes something else: layer 0: a gate logit is .* on the CPU\.$/);
  assert.match((await chip(figure)).words, /live on your CPU/);
  assert.equal(page.workers().length, 1, "its worker is gone");
  assert.deepEqual(problems, []);
});

test("where only such a GPU is asked for, the recorded run stays", { skip: NO_GPU_HERE }, async (t) => {
  const { figure } = await openFigure(site, t, {
    attributes: { backend: "webgpu" },
    prepare: (page) => beforeWorker(page, WRONG_GPU),
  });
  const { why } = await figure.error("This GPU cannot be trusted.");
  assert.match(why, /^It computes something else than the CPU: /);
  await figure.recorded();
});

/** A GPU that passes over what shaders with these words in them would compute, and says nothing: what was in memory is
 *  read. */
const idleGpu = (words) => `if (globalThis.GPUDevice) {
    const idle = new WeakSet();
    const pipelines = new WeakMap();
    const around = ({ prototype }, name, replacement) => {
      const original = prototype[name];
      prototype[name] = function (...values) {
        return replacement.call(this, original.bind(this), ...values);
      };
    };
    const marked = (made, isIdle) => {
      if (isIdle) idle.add(made);
      return made;
    };
    around(GPUDevice, "createShaderModule", (make, shader) =>
      marked(make(shader), shader.code.includes(${JSON.stringify(words)})));
    around(GPUDevice, "createComputePipeline", (make, pipeline) =>
      marked(make(pipeline), idle.has(pipeline.compute.module)));
    around(GPUComputePassEncoder, "setPipeline", function (set, pipeline) {
      pipelines.set(this, pipeline);
      set(pipeline);
    });
    for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"]) {
      around(GPUComputePassEncoder, name, function (dispatch, ...counts) {
        if (!idle.has(pipelines.get(this))) dispatch(...counts);
      });
    }
  }`;

const OTHERWISE = /: the GPU computes something else: layer 0: a gate logit is .* on the CPU\.$/;
// What another step left in memory may also be no routing at all, which fails.
const OF_ONE_TOKEN = /: the GPU computes something else: one token at a time, |WebGPU was tried and failed/;

for (const [what, words, says] of [
  ["nothing", "", OTHERWISE],
  // It stands in shaders/route_alone.wgsl only, which the step that reads a whole text does without.
  ["no token by itself", "normed: array<f32>", OF_ONE_TOKEN],
]) {
  test(`a GPU that computes ${what} is not believed`, { skip: NO_GPU_HERE }, async (t) => {
    const { page, figure, problems } = await openFigure(site, t, {
      backend: "auto",
      prepare: (page) => beforeWorker(page, idleGpu(words)),
    });
    assert.equal((await figure.live()).source, "live_cpu");
    await figure.engineSays(says);
    assert.match((await chip(figure)).words, /live on your CPU/);
    assert.equal(page.workers().length, 1, "its worker is gone");
    assert.deepEqual(problems, []);
  });
}

test("WebGPU is used where it is asked for", { skip: RUNG !== "webgpu" && "this browser has none" }, async (t) => {
  const { figure, problems } = await openFigure(site, t, { attributes: { backend: "webgpu" } });
  const { source, backend } = await figure.live();
  assert.deepEqual({ source, why: backend.why }, { source: "live_gpu", why: "you asked for WebGPU" });
  assert.ok(backend.name, "the adapter has a name");
  await figure.finished();
  assert.deepEqual(problems, []);
});

test("with the recorded run only, no engine is fetched", async (t) => {
  const fetched = [];
  const { figure, page, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded" },
    prepare: (page) =>
      page.on("request", (request) => /worker|\/models\//.test(request.url()) && fetched.push(request.url())),
  });
  const { source, backend } = await figure.recorded();
  assert.deepEqual({ source, backend }, { source: "recorded", backend: null });
  assert.match(await figure.engine.textContent(), /recorded run/);
  assert.deepEqual(fetched, []);
  assert.equal(page.workers().length, 0);
  assert.deepEqual(problems, []);
});
