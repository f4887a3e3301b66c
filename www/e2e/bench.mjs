// How fast a reader gets there: times to the first paint, the recorded run and the live engine; decode speed, GPU calls
// per step and long tasks of the main thread meanwhile; the worker's memory; on every rung, as the page has them.
//
//   node bench.mjs [--repeats 5] [--steps 24] [--rungs webgpu,cpu,cpu-f32] [--gpu] [--json FILE]
//
// `--gpu` leaves WebGPU to the machine's own adapter instead of the software one. Every repeat is a fresh browser
// context, so nothing is cached. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";
import { Figure, addAttributes, recordedRun } from "./lib/figure.mjs";
import { gpuCalls } from "./lib/gpu_calls.mjs";
import { record } from "./lib/record.mjs";
import { number, summary } from "./lib/statistics.mjs";
import { defaultTrace, withNewTokens } from "./lib/traces.mjs";

const { values: options } = parseArgs({
  options: {
    repeats: { type: "string", default: "5" },
    steps: { type: "string", default: "24" },
    rungs: { type: "string", default: "webgpu,cpu,cpu-f32" },
    gpu: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const NUM_REPEATS = Number(options.repeats);
const NUM_STEPS = Number(options.steps);
/** What is run, by the element's attributes. The page begins with the first one, and with its own prompt. */
const RUNS = [
  { name: "this text", attributes: { group: "this-text" } },
  { name: "decode step", attributes: { group: "decode-step" } },
  {
    name: "this text, longer",
    attributes: {
      group: "this-text",
      prompt:
        "My brother was afraid of her father, but he was very fond of the house, and the garden behind it was full of old trees.",
    },
  },
  // Where no step has more than its token to compute.
  { name: "this text, longer, dropless", attributes: { policy: "dropless" } },
];

const results = { browser: "", cpu: `${cpus().length} × ${cpus()[0]?.model}`, num_repeats: NUM_REPEATS, rungs: [] };
for (const rung of options.rungs.split(",")) {
  // `cpu-f32` is the same browser, and another engine.
  const browser = await launch(rung === "webgpu" && options.gpu ? "gpu" : rung.replace("-f32", ""));
  results.browser = `Chromium ${browser.version()}`;
  const samples = [];
  for (let repeat = 0; repeat < NUM_REPEATS; repeat += 1) {
    samples.push(await measure(browser, rung));
    console.error(`${rung} ${repeat + 1}/${NUM_REPEATS}`);
  }
  await browser.close();
  results.rungs.push(summarise(rung, samples));
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table(results));

/** One visit: load, wait for the engine, and watch each run. */
async function measure(browser, rung) {
  const { page, close } = await newPage(browser);
  page.setDefaultTimeout(300_000);
  await page.addInitScript(record);
  // The page as it lies, but for the rung, and for a run as long as is asked for.
  await addAttributes(page, SITE_URL, { backend: rung, ...RUNS[0].attributes });
  await recordedRun(page, withNewTokens(await defaultTrace(SITE_URL), NUM_STEPS));
  await page.goto(SITE_URL);
  const figure = new Figure(page);
  const { backend, at_ms } = await figure.live();
  const sample = { backend, live_ms: at_ms, runs: [], ...(await page.evaluate(earlierTimes)) };
  let after = 0;
  for (const { attributes } of RUNS) {
    // Changed attributes run the model again by themselves.
    await page.evaluate((attributes) => {
      for (const [name, value] of Object.entries(attributes))
        document.querySelector("moe-playground").setAttribute(name, value);
    }, attributes);
    const { run } = await figure.step(0, { after });
    sample.runs.push(await decode(page, run, rung === "webgpu"));
    await page.evaluate(() => document.querySelector("moe-playground").stop());
    await figure.button("Run").waitFor();
    after = run;
  }
  sample.worker_mb = (await wasmBytes(page, rung)) / 1e6;
  await close();
  return sample;
}

/** Watches a run: its speed and GPU calls from the second step on, since the first one warms up, and its long tasks. */
async function decode(page, run, hasGpu) {
  const before = hasGpu && { calls: await gpuCalls(page), num_steps: (await stepTimes(page, run)).length };
  await page.waitForFunction(
    ([run, wanted]) =>
      window.moe.steps.filter(({ detail }) => detail.run === run).length >= wanted ||
      window.moe.messages.some(({ finished }) => finished?.run === run),
    [run, NUM_STEPS],
  );
  const after = hasGpu && { calls: await gpuCalls(page), num_steps: (await stepTimes(page, run)).length };

  const times = await stepTimes(page, run);
  const [first_ms, last_ms] = [times[0], times.at(-1)];
  const tokens_per_s = (1000 * (times.length - 1)) / (last_ms - first_ms);
  const num_tokens = (await lastLength(page, run)) - (times.length - 1) / 2;
  const calls = {};
  for (const name of Object.keys(before.calls ?? {})) {
    calls[name] = (after.calls[name] - before.calls[name]) / (after.num_steps - before.num_steps);
  }
  const tasks = await page.evaluate(() =>
    window.moe.longTasks.map(({ startTime, duration }) => ({ startTime, duration })),
  );
  const durations = tasks
    .filter(({ startTime }) => startTime > first_ms && startTime < last_ms)
    .map(({ duration }) => duration);
  return {
    tokens_per_s,
    num_tokens,
    num_steps: times.length,
    calls,
    num_long_tasks: durations.length,
    longest_ms: Math.max(0, ...durations),
  };
}

/** When each step of a run was told, in milliseconds. */
function stepTimes(page, run) {
  return page.evaluate(
    (run) => window.moe.steps.filter(({ detail }) => detail.run === run).map(({ at_ms }) => at_ms),
    run,
  );
}

/** How long the text is at the last step of a run. */
function lastLength(page, run) {
  return page.evaluate((run) => {
    const { first_position, tokens } = window.moe.steps.findLast(({ detail }) => detail.run === run).detail;
    return first_position + tokens.length;
  }, run);
}

/** Size of the engine's linear memory, which never shrinks: model, working memory, and whatever was needed to load it. */
function wasmBytes(page, rung) {
  const script = rung === "webgpu" ? "moe_worker_gpu.js" : "moe_worker.js";
  return page
    .workers()
    .at(-1)
    .evaluate(async (script) => {
      const { default: init } = await import(new URL(script, location.href).href);
      // It is initialised already, and answers with what it exports.
      return (await init()).memory.buffer.byteLength;
    }, script);
}

/** In the page: milliseconds from navigation to the first paint with content, and to the recorded run. */
function earlierTimes() {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const recorded = window.moe.steps.find(({ detail }) => detail.run === 0);
  return { paint_ms: paint?.startTime, recorded_ms: recorded?.at_ms };
}

function summarise(rung, samples) {
  const runs = RUNS.map(({ name }, at) => {
    const of = samples.map((sample) => sample.runs[at]);
    const per_step = {};
    for (const call of Object.keys(of[0].calls)) per_step[call] = summary(of.map(({ calls }) => calls[call]));
    return {
      name,
      num_tokens: summary(of.map((sample) => sample.num_tokens)),
      tokens_per_s: summary(of.map((sample) => sample.tokens_per_s)),
      gpu_calls_per_step: per_step,
      num_steps: summary(of.map((sample) => sample.num_steps)),
      num_long_tasks: summary(of.map((sample) => sample.num_long_tasks)),
      longest_task_ms: summary(of.map((sample) => sample.longest_ms)),
    };
  });
  const result = { rung, backend: samples[0].backend, runs };
  for (const time of ["paint_ms", "recorded_ms", "live_ms", "worker_mb"])
    result[time] = summary(samples.map((sample) => sample[time]));
  return result;
}

function table({ browser, cpu, num_repeats, rungs }) {
  const lines = [
    `Medians of ${num_repeats} visits with an empty cache (lowest to highest); ${browser}, ${cpu}.`,
    "",
    "| rung | first paint, ms | recorded run, ms | live, ms | worker's memory, MB |",
    "| --- | --- | --- | --- | --- |",
  ];
  const name = ({ rung, backend }) => `${rung} (${backend?.name ?? "?"})`;
  for (const result of rungs) {
    const { paint_ms, recorded_ms, live_ms, worker_mb } = result;
    lines.push(`| ${[name(result), ...[paint_ms, recorded_ms, live_ms, worker_mb].map(number)].join(" | ")} |`);
  }
  const heads = [
    "tokens in the text, mean",
    "decode, tokens/s",
    "submits a step",
    "dispatches a step",
    "maps a step",
    "main-thread tasks over 50 ms",
    "longest, ms",
  ];
  lines.push("", `| rung | run | ${heads.join(" | ")} |`, `| --- | --- | ${heads.map(() => "---").join(" | ")} |`);
  for (const result of rungs) {
    for (const {
      name: run,
      num_tokens,
      tokens_per_s,
      gpu_calls_per_step: calls,
      num_long_tasks,
      longest_task_ms,
    } of result.runs) {
      const numbers = [
        num_tokens,
        tokens_per_s,
        calls.submit,
        calls.dispatch,
        calls.map,
        num_long_tasks,
        longest_task_ms,
      ];
      lines.push(`| ${[name(result), run, ...numbers.map(number)].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}
