// The worker is disposable: whatever becomes of it, another takes over, or the recorded run stays; nothing typed is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RUNG } from "../lib/environment.mjs";
import { beforeWorker, holdBack, KEEP_DEVICE, openFigure, UNHURRIED, workersEnded } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const LONG = 200;

/** A page with a long run, in whose workers this line of JavaScript runs first. */
function openRun(t, line = "", options = {}) {
  const prepare = (page) => beforeWorker(page, `${UNHURRIED}\n${line}`);
  return openFigure(site, t, { newTokens: LONG, prepare, ...options });
}

/** A page in the middle of a long live run of the reader's own prompt and capacity. */
async function openRunning(t, line = "") {
  const opened = await openRun(t, line);
  const { figure, page } = opened;
  await figure.step(0);
  await figure.prompt.fill("My own words");
  await figure.capacityFactor.fill("0.75");
  const { run } = await figure.step(1, { after: 1 });
  assert.equal((await figure.trace()).header.request.prompt, "My own words");
  return { ...opened, run, worker: page.workers().at(-1) };
}

/** After its worker was lost: a fresh worker runs what was asked for last, and can be stopped and run again. */
async function goesOn({ figure, page }, run) {
  await figure.live(2);
  const next = await figure.step(1, { after: run });
  await figure.notice.waitFor({ state: "hidden" });
  const { header } = await figure.trace();
  assert.equal(header.request.run, next.run);
  assert.equal(header.request.prompt, "My own words");
  assert.equal(header.request.routing.overflow.factor, 0.75);
  assert.equal(await figure.prompt.inputValue(), "My own words");
  assert.equal(await figure.capacityFactor.inputValue(), "0.75");
  assert.equal(page.workers().length, 1, "the worker before is gone");

  await figure.button("Stop").click();
  await figure.run("Again");
  await figure.step(0, { after: next.run });
  assert.equal((await figure.trace()).header.request.prompt, "Again");
}

test("a worker that throws is replaced, and the run begins again", async (t) => {
  const opened = await openRunning(t);
  const { figure, page, run, worker } = opened;
  const release = await holdBack(page, /\/moe_worker(_gpu)?_bg[^/]*\.wasm$/);
  await worker.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error("thrown by a test");
      }),
  );
  const { what, why, try_this, details } = await figure.error("The engine stopped working.");
  assert.doesNotMatch(why, /thrown by a test/);
  assert.match(details, /thrown by a test/);
  assert.match(try_this, /started again (on the CPU )?\(1 of 2\).*Prompt and settings are kept/);
  await figure.told(what);
  assert.match(await figure.engine.textContent(), /starting the engine/);
  const { header } = await figure.trace();
  assert.equal(header.request.run, run, "what the lost worker wrote is still on the screen");
  release();
  await goesOn(opened, run);
});

test("a worker that falls silent in the middle of a run is replaced", async (t) => {
  const opened = await openRunning(t);
  const { figure, run, worker } = opened;
  // The worker ends without a word, so the call may have no answer either.
  worker.evaluate(() => close()).catch(() => {});
  const { why } = await figure.error("The engine stopped working.");
  assert.match(why, /not answered for \d+ seconds/);
  await goesOn(opened, run);
});

test("where only WebGPU is asked for, a lost graphics device is replaced by another", {
  skip: RUNG !== "webgpu" && "this browser has none",
}, async (t) => {
  const { page, figure } = await openRun(t, KEEP_DEVICE, { attributes: { backend: "webgpu" } });
  await figure.step(0);
  await page
    .workers()
    .at(-1)
    .evaluate(() => self.moeDevice.destroy());
  const { try_this } = await figure.error("The engine stopped working.");
  assert.match(try_this, /started again \(1 of 2\)/);
  assert.equal((await figure.live(2)).source, "live_gpu");
});

/** In every worker: the message with its third step, which as all steps is text, is its last. */
const DIES_EARLY = `
  const post = self.postMessage.bind(self);
  self.postMessage = (message, ...rest) => {
    post(message, ...rest);
    const steps = typeof message === "string" ? JSON.parse(message) : [];
    if (steps.some(({ step }) => step.trace.step >= 2)) setTimeout(() => { throw new Error("dead again"); });
  };`;

test("an engine that dies in the middle of every run is given up after three tries", async (t) => {
  const { page, figure } = await openRun(t, DIES_EARLY);
  const { details, try_this } = await figure.error("The engine keeps stopping.");
  assert.match(details, /dead again/);
  assert.match(try_this, /Press Retry.*the run on the screen stays/);
  const { header, steps } = await figure.trace();
  assert.ok(header.origin.source.startsWith("live") && steps.length >= 3, "what it wrote stays");
  const starts = await page.evaluate(() => window.moe.ready.filter(({ source }) => source.startsWith("live")).length);
  assert.equal(starts, 3);
  await workersEnded(page);
});

test("an engine that cannot start is given up after three tries, and Retry starts it", async (t) => {
  const script = /\/assets\/worker(\.\w+)?\.js$/;
  let starts = 0;
  const { page, figure } = await openFigure(site, t, {
    prepare: (page) =>
      page.context().route(script, (route) => {
        starts += 1;
        return route.fulfill({ contentType: "text/javascript", body: 'throw new Error("broken by a test");' });
      }),
  });
  const { details, try_this } = await figure.error("The engine could not be started.");
  assert.match(details, /broken by a test/);
  assert.match(try_this, /Retry/);
  assert.equal(starts, 3);
  await figure.recorded();
  assert.equal((await figure.trace()).header.origin.source, "recorded");
  assert.match(await figure.engine.textContent(), /recorded run · no engine/);
  await page.context().unroute(script);
  await figure.button("Retry").first().click();
  await figure.live();
  const { header } = await figure.finished();
  assert.match(header.origin.source, /^live/);
});

test("a worker lost while nothing runs is replaced too", async (t) => {
  const { page, figure } = await openFigure(site, t);
  await figure.finished();
  await page
    .workers()
    .at(-1)
    .evaluate(
      () =>
        void setTimeout(() => {
          throw new Error("thrown by a test");
        }),
    );
  await figure.error("The engine stopped working.");
  await figure.live(2);
  await figure.finished({ after: 1 });
});

test("a figure that leaves the page ends its worker, and one that comes back starts another", async (t) => {
  const { page, figure } = await openRun(t);
  await figure.step(0);
  const worker = page.workers().at(-1);
  const closed = new Promise((resolve) => worker.once("close", resolve));
  await page.evaluate(() => {
    window.moeKept = document.querySelector("moe-playground");
    window.moeKept.remove();
  });
  await closed;
  await page.evaluate(() => document.body.append(window.moeKept));
  await figure.live(2);
  assert.equal(page.workers().length, 1);
});
