// The page in a browser that is not Chromium: it loads, goes live on the CPU, runs, steps, overflows, and can be embedded.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { originServer } from "../lib/origin_server.mjs";
import { pageServer } from "../lib/page_server.mjs";
import { launch } from "./browser.mjs";

const SITE = process.env.MOE_URL;

/** @type {import("./browser.mjs").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Opens a page, and waits until its figure is live. */
async function live(url = SITE) {
  await browser.goto(url);
  return until(
    "live on your CPU",
    (words) => words.startsWith("live on your"),
    () => document.querySelector("moe-playground")?.shadowRoot?.querySelector(".engine b")?.textContent ?? "",
  );
}

/** Asks the page again and again until the answer is right. */
async function until(what, isRight, ask, ...values) {
  let answer;
  for (let left = 600; left > 0; left -= 1) {
    answer = await browser.evaluate(ask, ...values);
    if (isRight(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`waited for ${what}; the last answer is ${JSON.stringify(answer)}`);
}

/** The run on the screen, once it is of this prompt and factor and has come to its end. */
function finished(prompt, factor) {
  const isIt = (run) => run?.prompt === prompt && run.factor === factor && run.source === "live_cpu" && run.isOver;
  return until(`the end of the run of ${JSON.stringify(prompt)}`, isIt, () => {
    const figure = document.querySelector("moe-playground");
    const trace = figure.getTrace();
    if (!trace) return null;
    const { header, steps } = trace;
    const { overflow } = header.request.routing;
    const buttons = [...figure.shadowRoot.querySelectorAll("button")];
    return {
      prompt: header.request.prompt,
      factor: "factor" in overflow ? overflow.factor : null,
      source: header.origin.source,
      isOver: steps.length > 0 && buttons.some(({ textContent }) => textContent === "Run"),
      numTokens: steps.map(({ tokens }) => tokens.length),
      lost: steps.map(
        ({ layers }) =>
          layers.flatMap(({ routing }) => routing.assignments).filter(({ fate }) => fate === "lost").length,
      ),
      capacities: steps.map(({ layers }) => layers[0].routing.capacity),
    };
  });
}

const press = (name) =>
  browser.evaluate((name) => {
    const buttons = [...document.querySelector("moe-playground").shadowRoot.querySelectorAll("button")];
    const button = buttons.find((it) => (it.ariaLabel ?? it.getAttribute("aria-label") ?? it.textContent) === name);
    if (!button) throw new Error(`there is no button ${name}`);
    button.click();
  }, name);

const shownStep = () =>
  browser.evaluate(() =>
    Number(
      document
        .querySelector("moe-playground")
        .shadowRoot.querySelector(".step-count")
        .textContent.match(/step (\d+)/)[1],
    ),
  );

test("it loads, and goes live on the CPU", async () => {
  assert.equal(await live(), "live on your CPU");
});

test("where the browser makes fast code late, the engine's chip says so, and nowhere else", async () => {
  await live();
  const more = await browser.evaluate(
    () => document.querySelector("moe-playground").shadowRoot.querySelector(".chip.engine .more").textContent,
  );
  assert.match(more, /^WebAssembly SIMD, 8-bit matrices: .*\.$/);
  assert.equal(/the first runs are slower/.test(more), process.env.MOE_BROWSER === "webkit", more);
});

test("it runs a prompt, step by step", async () => {
  await live();
  await browser.evaluate(() => {
    const figure = document.querySelector("moe-playground");
    figure.setAttribute("max-tokens", "4");
    figure.run("The small cat sat");
  });
  const run = await finished("The small cat sat", 1.25);
  assert.equal(run.numTokens.length, 5);
  for (const [at, numTokens] of run.numTokens.entries()) assert.equal(numTokens, run.numTokens[0] + at);
  const last = await shownStep();
  assert.equal(last, 5);
  await press("Step back");
  await until(
    "the step before",
    (step) => step === 4,
    () =>
      Number(
        document
          .querySelector("moe-playground")
          .shadowRoot.querySelector(".step-count")
          .textContent.match(/step (\d+)/)[1],
      ),
  );
});

test("a smaller capacity turns requests away", async () => {
  await live();
  await browser.evaluate(() => {
    const figure = document.querySelector("moe-playground");
    figure.setAttribute("max-tokens", "2");
    figure.setAttribute("capacity-factor", "0.5");
    figure.run("One two three four five six seven eight");
  });
  const { capacities, numTokens, lost } = await finished("One two three four five six seven eight", 0.5);
  assert.ok(lost[0] > 0, "somebody was turned away");
  assert.deepEqual(
    capacities,
    numTokens.map((tokens) => Math.max(1, Math.ceil((0.5 * 2 * tokens) / 8))),
  );
});

test("a figure of another origin runs in somebody's page", async (t) => {
  const elsewhere = await originServer(SITE);
  t.after(elsewhere.close);
  const host = await pageServer(`<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">
    <script type="module" src="${elsewhere.url}assets/element.js"></script>
    <moe-playground view="strip lanes" prompt="A figure" max-tokens="2"><p>The first paint.</p></moe-playground>`);
  t.after(host.close);
  assert.equal(await live(host.url), "live on your CPU");
  const run = await until(
    "a live run",
    (it) => it?.source === "live_cpu",
    () => {
      const trace = document.querySelector("moe-playground").getTrace();
      return trace && { source: trace.header.origin.source, prompt: trace.header.request.prompt };
    },
  );
  assert.equal(run.prompt, "A figure");
});
