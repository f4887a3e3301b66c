// What the page costs its reader: time of its thread a step, at several lengths of the text; its longest task while the
// model generates and while the page starts; how soon it answers a click, a key and a dragged slider.
//
//   node bench_page.mjs [--repeats 3] [--steps 16] [--lengths 64,128,240] [--json FILE]
//
// On the CPU, so that drawing is not mistaken for the software adapter. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";
import { Figure, addAttributes, recordedRun } from "./lib/figure.mjs";
import { record } from "./lib/record.mjs";
import { number, summary } from "./lib/statistics.mjs";
import { defaultTrace, withNewTokens } from "./lib/traces.mjs";

const { values: options } = parseArgs({
  options: {
    repeats: { type: "string", default: "3" },
    steps: { type: "string", default: "16" },
    lengths: { type: "string", default: "64,128,240" },
    json: { type: "string" },
  },
});
const NUM_STEPS = Number(options.steps);
/** Of one to two tokens each; how long a text became is measured. */
const WORDS = " the man was in the house and he had a little dog that was very good to him but".split(/(?= )/);
const TOKENS_PER_WORD = 1.31;
/** As much as the browser can slow the page's thread down. */
const SLOWED = 4;

const browser = await launch("cpu");
const samples = [];
for (let repeat = 0; repeat < Number(options.repeats); repeat += 1) {
  samples.push(await measure());
  console.error(`${repeat + 1}/${options.repeats}`);
}
await browser.close();
const results = { browser: browser.version(), cpu: `${cpus().length} × ${cpus()[0]?.model}`, samples };
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table(samples));

/** One visit: the start, then at each length a run, and what a reader does at its end. */
async function measure() {
  const { page, close } = await newPage(browser, { viewport: { width: 1440, height: 1100 } });
  page.setDefaultTimeout(300_000);
  await page.addInitScript(record);
  await page.addInitScript(noteAnswers);
  await addAttributes(page, SITE_URL, { backend: "cpu" });
  await recordedRun(page, withNewTokens(await defaultTrace(SITE_URL), 0));
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.goto(SITE_URL);
  const figure = new Figure(page);
  await figure.finished();
  // The trace is made for who asks, and whoever listens asks.
  await page.evaluate(() => (window.moe.ignoresSteps = true));
  const sample = { start_ms: await longestTask(page), lengths: [] };
  for (const length of options.lengths.split(",").map(Number)) {
    const prompt = Array.from(
      { length: Math.round((length - NUM_STEPS / 2) / TOKENS_PER_WORD) },
      (_, at) => WORDS[at % WORDS.length],
    ).join("");
    const first = await run(session, page, figure, prompt.trimStart(), 0);
    const all = await run(session, page, figure, prompt.trimStart(), NUM_STEPS);
    const num_steps = all.num_steps - first.num_steps;
    sample.lengths.push({
      num_tokens: (first.num_tokens + all.num_tokens) / 2,
      step_ms: (all.thread_ms - first.thread_ms) / num_steps,
      longest_ms: all.longest_ms,
      answers: await answers(page, figure),
      slowed: await slowed(session, () => answers(page, figure)),
    });
  }
  await close();
  return sample;
}

/** A run of this prompt: what the page's thread did meanwhile. */
async function run(session, page, figure, prompt, newTokens) {
  const after = (await figure.trace()).header.request.run;
  const before = await threadMs(session);
  const began = await page.evaluate(() => performance.now());
  await page.evaluate(
    ([prompt, tokens]) => {
      const element = document.querySelector("moe-playground");
      element.setAttribute("max-tokens", tokens);
      // What is asked for is followed to its newest token; a changed attribute alone leaves the reader at the step on the screen.
      element.run(prompt);
    },
    [prompt, String(newTokens)],
  );
  await page.waitForFunction((after) => window.moe.messages.some(({ finished }) => finished?.run > after), after);
  // Until nothing is drawn any more and what is spoken at rest was said.
  await page.waitForTimeout(1000);
  const thread_ms = (await threadMs(session)) - before;
  const longest_ms = await longestTask(page, began);
  const { steps } = await figure.trace();
  return { thread_ms, longest_ms, num_steps: steps.length, num_tokens: steps.at(-1).tokens.length };
}

/** Milliseconds of the processor that the page's thread has had so far, whatever else the machine does. */
async function threadMs(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "ThreadTime").value;
}

/** The longest task since then, in milliseconds; the browser tells those of 50 and more. */
function longestTask(page, since = 0) {
  return page.evaluate(
    (since) => Math.max(0, ...window.moe.longTasks.filter((task) => task.startTime >= since).map((it) => it.duration)),
    since,
  );
}

/** In the page: from each input to the next paint. */
function noteAnswers() {
  const answers = [];
  window.moe.answers = answers;
  const observer = new PerformanceObserver((list) => {
    const entries = /** @type {any[]} */ (list.getEntries());
    answers.push(...entries.filter(({ interactionId, name }) => interactionId || name === "input"));
  });
  observer.observe(/** @type {any} */ ({ type: "event", durationThreshold: 16, buffered: true }));
}

/** The longest of each: a token selected, a layer, the slider dragged. At 8 ms the browser rounds. */
async function answers(page, figure) {
  const longest = async (act) => {
    await page.evaluate(() => (window.moe.answers.length = 0));
    await act();
    await page.waitForTimeout(500);
    return page.evaluate(() => Math.max(0, ...window.moe.answers.map(({ duration }) => duration)));
  };
  const count = await figure.tokens.count();
  const token_ms = await longest(async () => {
    for (const back of [2, 5, 3, 7]) await figure.tokens.nth(count - back).click();
  });
  const layer_ms = await longest(async () => {
    for (const key of ["ArrowDown", "ArrowUp", "ArrowUp", "ArrowDown"]) await page.keyboard.press(key, { delay: 50 });
  });
  const factor = await figure.capacityFactor.inputValue();
  const { x, y, width, height } = await figure.capacityFactor.boundingBox();
  const slider_ms = await longest(async () => {
    await page.mouse.move(x + width / 3, y + height / 2);
    await page.mouse.down();
    for (let move = 0; move < 12; move += 1) {
      await page.mouse.move(x + (width * (4 + (move % 6))) / 12, y + height / 2);
      await page.waitForTimeout(30);
    }
    await page.mouse.up();
  });
  await figure.capacityFactor.fill(factor);
  await page.waitForTimeout(500);
  await figure.button("Run").waitFor();
  return { token_ms, layer_ms, slider_ms };
}

async function slowed(session, act) {
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  const result = await act();
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  return result;
}

function table(samples) {
  const of = (read) => number(summary(samples.map(read)));
  const lines = [
    `Medians of ${samples.length} visits (lowest to highest), in milliseconds; the page's thread on the CPU rung, ${NUM_STEPS} steps at each length.`,
    "",
    `Longest task until the first live run has ended: ${of(({ start_ms }) => start_ms)}.`,
    "",
    `| tokens | thread a step | longest task | token | layer | slider | token, ${SLOWED} × slower | layer | slider |`,
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  for (const at of samples[0].lengths.keys()) {
    const cells = [
      ({ num_tokens }) => num_tokens,
      ({ step_ms }) => step_ms,
      ({ longest_ms }) => longest_ms,
      ...["answers", "slowed"].flatMap((which) =>
        ["token_ms", "layer_ms", "slider_ms"].map((name) => (length) => length[which][name]),
      ),
    ];
    lines.push(`| ${cells.map((cell) => of(({ lengths }) => cell(lengths[at]))).join(" | ")} |`);
  }
  return lines.join("\n");
}
