// What a step costs, by counts that no busy machine changes: rows in a message, draws in a frame, messages while the model
// loads, runs that a drag starts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** An init script: what page and worker say to each other, with its time, in `window.moe.told` and `window.moe.commands`. */
function noteMessages() {
  window.moe.told = [];
  window.moe.commands = [];
  window.Worker = class extends window.Worker {
    constructor(url, options) {
      super(url, options);
      this.addEventListener("message", ({ data: message }) => {
        // Steps come several at once, as text.
        const events = typeof message === "string" ? JSON.parse(message) : [message];
        const at_ms = performance.now();
        window.moe.told.push(...events.map((data) => ({ at_ms, data })));
      });
    }
    postMessage(command) {
      window.moe.commands.push(command);
      super.postMessage(command);
    }
  };
}

const prepare = (page) => page.addInitScript(noteMessages);

/** Of each step of the latest run: tokens of the text, rows in its message, and the message's length. */
async function told(page, figure) {
  const { header, steps } = await figure.finished();
  const sent = await page.evaluate(
    (run) =>
      window.moe.told
        .filter(({ data }) => data.step?.trace.run === run)
        .map(({ data }) => ({ rows: data.step.trace.tokens.length, bytes: JSON.stringify(data).length })),
    header.request.run,
  );
  assert.equal(sent.length, steps.length);
  return sent.map((message, at) => ({ ...message, tokens: steps[at].tokens.length }));
}

test("where nothing before it changes, a step's message is one row, however long the text", async (t) => {
  const attributes = { policy: "dropless", group: "this-text" };
  const { page, figure, problems } = await openFigure(site, t, { attributes, newTokens: 60, prepare });
  const [first, ...others] = await told(page, figure);
  assert.equal(first.rows, first.tokens);
  assert.ok(others.length > 10, `${others.length} steps`);
  assert.deepEqual(
    others.filter(({ rows }) => rows !== 1),
    [],
  );
  const half = others.length >> 1;
  const longest = (messages) => Math.max(...messages.map(({ bytes }) => bytes));
  const [early, late] = [longest(others.slice(0, half)), longest(others.slice(half))];
  assert.ok(late < 1.2 * early, `${early} bytes at most, later ${late}`);
  assert.deepEqual(problems, []);
});

test("where slots are few, a message has the rows from the first one that changed", async (t) => {
  const attributes = { policy: "drop", "capacity-factor": "1.25", group: "this-text" };
  const { page, figure } = await openFigure(site, t, { attributes, newTokens: 40, prepare });
  const [, ...others] = await told(page, figure);
  const sum = (of) => others.reduce((sum, message) => sum + message[of], 0);
  assert.ok(sum("rows") < 0.6 * sum("tokens"), `${sum("rows")} rows of ${sum("tokens")}`);
});

test("the detail of moe-step is the whole step, and the same object each time", async (t) => {
  const { page, figure } = await openFigure(site, t, { newTokens: 3 });
  await page.evaluate(() => {
    window.moe.kept = [];
    addEventListener("moe-step", (event) => window.moe.kept.push(event));
  });
  const { header } = await figure.finished();
  const { request } = header;
  await figure.run("The cat sat");
  const { steps } = await figure.finished({ after: request.run });
  const details = await page.evaluate((after) => {
    const events = window.moe.kept.filter(({ detail }) => detail.run > after);
    const twice = events.map((event) => [event.detail, event.detail]);
    return twice.map(([first, again]) => first === again && first);
  }, request.run);
  assert.deepEqual(details, steps);
});

test("steps that come while the page is busy are drawn once", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { newTokens: 80, prepare });
  const { run } = await figure.step(0);
  await figure.live();
  // What the reader asks for is followed to its newest token. The page is busy from the first step on, however fast the
  // others come.
  const { draws, frames } = await page.evaluate(async () => {
    const element = document.querySelector("moe-playground");
    const count = element.shadowRoot.querySelector(".moe-container .step-count");
    let [draws, frames, isOver] = [0, 0, false];
    new MutationObserver(() => (draws += 1)).observe(count, { subtree: true, characterData: true, childList: true });
    const frame = () => {
      frames += 1;
      if (!isOver) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    const begun = new Promise((resolve) => element.addEventListener("moe-step", resolve, { once: true }));
    element.run("The cat sat on the mat");
    await begun;
    const began = performance.now();
    while (performance.now() - began < 400);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    isOver = true;
    return { draws, frames };
  });
  const { steps } = await figure.finished({ after: run });
  // One more for what the reader asked.
  assert.ok(draws > 0 && draws <= frames + 2, `${draws} draws in ${frames} frames`);
  assert.equal(await figure.tokens.count(), steps.at(-1).tokens.length, "the newest is on the screen");
  assert.deepEqual(problems, []);
});

test("a download is told at most ten times a second", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    prepare: async (page) => {
      await page.addInitScript(noteMessages);
      const session = await page.context().newCDPSession(page);
      const bytesPerSecond = 3e6;
      await session.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 0,
        downloadThroughput: bytesPerSecond,
        uploadThroughput: bytesPerSecond,
      });
    },
  });
  await figure.live();
  const times = await page.evaluate(() =>
    window.moe.told.filter(({ data }) => data.progress).map(({ at_ms }) => at_ms),
  );
  // Of engine and model the first progress and the last byte are always told.
  const allowed = 4 + (times.at(-1) - times[0]) / 100;
  assert.ok(times.length <= allowed, `${times.length} in ${times.at(-1) - times[0]} ms`);
});

test("a slider that is dragged runs the model once, when it is let go", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { viewport: { width: 1440, height: 1100 }, prepare });
  const { header } = await figure.finished();
  const runs = () => page.evaluate(() => window.moe.commands.filter(({ run }) => run).length);
  const before = await runs();
  const { x, y, width, height } = await figure.capacityFactor.boundingBox();
  const value = Number(await figure.capacityFactor.inputValue());
  const [least, most] = await figure.capacityFactor.evaluate(({ min, max }) => [Number(min), Number(max)]);
  const at = (factor) => x + 8 + ((factor - least) / (most - least)) * (width - 16);
  await page.mouse.move(at(value), y + height / 2);
  await page.mouse.down();
  for (let move = 1; move <= 10; move += 1) {
    await page.mouse.move(at(value + 0.1 * move), y + height / 2);
    // Longer than the rest after which a changed control runs the model.
    if (move === 5) await page.waitForTimeout(500);
  }
  const onTheWay = await figure.capacityFactor.inputValue();
  assert.notEqual(Number(onTheWay), value, "it was dragged");
  assert.match(await figure.panel("lanes").textContent(), /what-if/i);
  assert.equal(await runs(), before, "no run on the way");
  await page.mouse.up();
  const { header: last } = await figure.finished({ after: header.request.run });
  assert.ok(Math.abs(last.request.routing.overflow.factor - Number(onTheWay)) < 1e-6);
  assert.equal(await runs(), before + 1);
  assert.deepEqual(problems, []);
});

/** An init script: the beats of the playback are in `window.moe.beats`, to be struck by hand. */
function holdBeats() {
  window.moe.beats = [];
  const set = window.setInterval;
  window.setInterval = (beat, every_ms, ...values) => {
    if (every_ms < 300 || every_ms > 700) return set(beat, every_ms, ...values);
    return window.moe.beats.push(beat);
  };
}

test("what nobody sees does not play on, and goes on from there once it is seen", async (t) => {
  const prepare = (page) => page.addInitScript(holdBeats);
  const attributes = { backend: "recorded", step: "0" };
  const { page, figure, problems } = await openFigure(site, t, { attributes, newTokens: 8, prepare });
  await figure.selected({});
  await figure.button("Play").click();
  /** Puts so much above the figure, waits until the browser has looked, strikes once; tells which step is shown. */
  const struck = (above) =>
    page.evaluate(async (above) => {
      const element = document.querySelector("moe-playground");
      element.style.marginBlockStart = above;
      scrollTo(0, 0);
      await new Promise((resolve) => new IntersectionObserver(resolve).observe(element));
      // An observer that has been there longer may hear of it a frame later.
      for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
      const beat = window.moe.beats.at(-1);
      if (typeof beat !== "function") throw new Error("nothing plays");
      beat();
      for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
      return element.shadowRoot.querySelector(".moe-container .step-count").textContent;
    }, above);
  const second = await struck("");
  const third = await struck("");
  assert.notEqual(second, third);
  assert.equal(await struck("300vh"), third);
  assert.equal(await struck("300vh"), third);
  const fourth = await struck("");
  assert.notEqual(fourth, third);
  await page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => true }));
  assert.equal(await struck(""), fourth, "behind another tab");
  assert.deepEqual(problems, []);
});
