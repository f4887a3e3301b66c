// How fast a reader gets there: times to the first paint, the recorded run and the live engine, decode speed and GPU
// calls per step, on every rung, as the page has them.
//
//   node bench.mjs [--repeats 5] [--steps 24] [--rungs webgpu,cpu] [--gpu] [--json FILE]
//
// `--gpu` leaves WebGPU to the machine's own adapter instead of the software one. Every repeat is a fresh browser
// context, so nothing is cached. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { gpuCalls } from "./lib/gpu_calls.mjs";
import { openSite } from "./lib/site.mjs";
import { number, summary } from "./lib/statistics.mjs";

const { values: options } = parseArgs({
  options: {
    repeats: { type: "string", default: "5" },
    steps: { type: "string", default: "24" },
    rungs: { type: "string", default: "webgpu,cpu" },
    gpu: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const NUM_REPEATS = Number(options.repeats);
const NUM_STEPS = Number(options.steps);
/** The routing groups of the page, as its attribute has them. */
const GROUPS = ["decode-step", "this-text"];
/** A run that gives no step for so long has ended, or hangs. */
const SILENCE_MS = 20_000;

const site = await openSite();
const results = { cpu: `${cpus().length} × ${cpus()[0]?.model}`, num_repeats: NUM_REPEATS, rungs: [] };
try {
  for (const rung of options.rungs.split(",")) {
    const browser = await launch(rung === "webgpu" && options.gpu ? "gpu" : rung);
    results.browser = `Chromium ${browser.version()}`;
    const samples = [];
    for (let repeat = 0; repeat < NUM_REPEATS; repeat += 1) {
      samples.push(await measure(browser, rung));
      console.error(`${rung} ${repeat + 1}/${NUM_REPEATS}`);
    }
    await browser.close();
    results.rungs.push(summarise(rung, samples));
  }
} finally {
  site.close();
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table(results));

/** One visit: load, wait for the engine, run the default prompt in each group. */
async function measure(browser, rung) {
  const { page, close } = await newPage(browser);
  page.setDefaultTimeout(180_000);
  await page.addInitScript(record);
  // The page as it lies, but for the one attribute that asks for this rung.
  await page.route(site.url, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace("<moe-playground", `<moe-playground backend="${rung}"`);
    await route.fulfill({ response, body });
  });
  await page.goto(site.url);
  const live = await page.waitForFunction(() => window.moeLive);
  const { backend, at_ms } = await live.jsonValue();
  const sample = { backend, live_ms: at_ms, groups: {}, ...(await page.evaluate(earlierTimes)) };
  for (const group of GROUPS) sample.groups[group] = await decode(page, group, rung === "webgpu");
  await close();
  return sample;
}

/** Runs the prompt in one group; the speed and the GPU calls of every step but the first, which holds the prefill. */
async function decode(page, group, hasGpu) {
  await page.evaluate((group) => {
    const element = document.querySelector("moe-playground");
    element.setAttribute("group", group);
    window.moeSteps = [];
    element.run();
  }, group);
  const numSteps = () => page.evaluate(() => window.moeSteps.length);
  const isDone = ([wanted, silence_ms]) => {
    const { moeSteps: steps } = window;
    return steps.length >= wanted || (steps.length > 0 && performance.now() - steps.at(-1) > silence_ms);
  };
  await page.waitForFunction(isDone, [1, SILENCE_MS]);
  const before = hasGpu && { calls: await gpuCalls(page), num_steps: await numSteps() };
  await page.waitForFunction(isDone, [NUM_STEPS, SILENCE_MS]);
  const after = hasGpu && { calls: await gpuCalls(page), num_steps: await numSteps() };
  await page.evaluate(() => document.querySelector("moe-playground").stop());

  const steps = await page.evaluate(() => window.moeSteps);
  const tokens_per_s = (1000 * (steps.length - 1)) / (steps.at(-1) - steps[0]);
  const calls = {};
  for (const name of Object.keys(before.calls ?? {})) {
    calls[name] = (after.calls[name] - before.calls[name]) / (after.num_steps - before.num_steps);
  }
  return { tokens_per_s, num_steps: steps.length, calls };
}

/** In the page: when the engine was there, and when each step of the latest run was told. */
function record() {
  let run;
  window.moeSteps = [];
  addEventListener("moe-ready", ({ detail }) => {
    if (detail?.source === "recorded") window.moeRecorded_ms ??= performance.now();
    if (detail?.source?.startsWith("live")) window.moeLive ??= { backend: detail.backend, at_ms: performance.now() };
  });
  addEventListener("moe-step", ({ detail }) => {
    if (detail.run !== run) window.moeSteps = [];
    run = detail.run;
    window.moeSteps.push(performance.now());
  });
}

/** In the page: milliseconds from navigation to the first paint with content, and to the recorded run. */
function earlierTimes() {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return { paint_ms: paint?.startTime, recorded_ms: window.moeRecorded_ms };
}

function summarise(rung, samples) {
  const groups = GROUPS.map((group) => {
    const of = samples.map((sample) => sample.groups[group]);
    const per_step = {};
    for (const call of Object.keys(of[0].calls)) per_step[call] = summary(of.map(({ calls }) => calls[call]));
    return { group, tokens_per_s: summary(of.map((sample) => sample.tokens_per_s)), gpu_calls_per_step: per_step };
  });
  const result = { rung, backend: samples[0].backend, groups };
  for (const time of ["paint_ms", "recorded_ms", "live_ms"]) result[time] = summary(samples.map((sample) => sample[time]));
  return result;
}

function table({ browser, cpu, num_repeats, rungs }) {
  const lines = [
    `Medians of ${num_repeats} visits with an empty cache (lowest to highest); ${browser}, ${cpu}.`,
    "",
    "| rung | first paint, ms | recorded run, ms | live, ms |",
    "| --- | --- | --- | --- |",
  ];
  const name = ({ rung, backend }) => `${rung} (${backend?.name ?? "?"})`;
  for (const result of rungs) {
    const { paint_ms, recorded_ms, live_ms } = result;
    lines.push(`| ${[name(result), ...[paint_ms, recorded_ms, live_ms].map(number)].join(" | ")} |`);
  }
  lines.push("", "| rung | group | decode, tokens/s | submits a step | dispatches a step | maps a step |");
  lines.push("| --- | --- | --- | --- | --- | --- |");
  for (const result of rungs) {
    for (const { group, tokens_per_s, gpu_calls_per_step: calls } of result.groups) {
      const numbers = [tokens_per_s, calls.submit, calls.dispatch, calls.map].map(number);
      lines.push(`| ${[name(result), group, ...numbers].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}
