// What a step costs at each length of the text, in our worker alone: `cargo xtask bench length`.
//
//   node bench_length.mjs [--rounds 5] [--lengths 16,32,64,128,240] [--seconds 0.5] [--json FILE] [--svg FILE]
//
// Milliseconds of the processor's time that the renderer had for a step, its trace and its message included: what a run
// of 16 steps more costs, divided by 16, with the model that comes with the page, on the CPU. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";
import { lineChart } from "./lib/line_chart.mjs";
import { processorTime } from "./lib/processor.mjs";
import { number, summary } from "./lib/statistics.mjs";
import { peerServer } from "./peers/server.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    lengths: { type: "string", default: "16,32,64,128,240" },
    seconds: { type: "string", default: "0.5" },
    json: { type: "string" },
    svg: { type: "string" },
  },
});
/** Steps of a run; its middle one has about the length that is asked for. */
const NUM_STEPS = 16;
const TEXT =
  "The old man looked at the sea, and for a while he said nothing. The boats had come back in the morning with little in them, and the women who were waiting on the stones went home again, one after the other. His son had wanted to go out once more, before the wind turned, but nobody would go with him. It is too late in the year for that, they said, and they were right. So the two of them sat down in front of the house, mended the net where the rocks had torn it, and talked of the winter in which the whole bay was white from one side to the other, and a man could walk to the island and back before it was dark. In the evening the girl came up from the village with bread and a letter, and the old man put it on the table and did not open it. He knew what it would say, and he had time.";
/** How a run groups its tokens and gives out slots. */
const KINDS = [
  { name: "the whole text again", group: "this_text", overflow: (trained) => ({ ...trained, priority: "bpr_max" }) },
  { name: "this text, factor 1.25", group: "this_text", overflow: (trained) => trained },
  { name: "this text, dropless", group: "this_text", overflow: () => ({ kind: "dropless" }) },
  { name: "decode step", group: "decode_step", overflow: () => ({ kind: "dropless" }) },
];

const server = await peerServer(SITE_URL, "");
const browser = await launch("cpu");
const processor = await processorTime(browser);
const { page } = await newPage(browser);
page.setDefaultTimeout(300_000);
await page.goto(`${server.url}peer.html`);
const trained = await page.evaluate(startEngine);
const texts = await page.evaluate(beginnings, [
  TEXT,
  options.lengths.split(",").map((length) => Number(length) - NUM_STEPS / 2),
]);
const samples = KINDS.map(() => texts.map(() => []));
for (let round = 0; round < Number(options.rounds); round += 1) {
  for (const [kind, { group, overflow }] of KINDS.entries()) {
    for (const [at, { text }] of texts.entries()) {
      const request = { prompt: text, group, routing: { ...trained, overflow: overflow(trained.overflow) } };
      const [none, all] = [await cost(request, 0), await cost(request, NUM_STEPS)];
      samples[kind][at].push((1000 * (all - none)) / NUM_STEPS);
    }
  }
  console.error(`${round + 1}/${options.rounds}`);
}
const version = browser.version();
await browser.close();
server.close();

const lengths = texts.map(({ num_tokens }) => num_tokens + NUM_STEPS / 2);
const series = KINDS.map(({ name }, kind) => ({ name, ms: samples[kind].map(summary) }));
const results = { browser: `Chromium ${version}`, cpu: `${cpus().length} × ${cpus()[0]?.model}`, lengths, series };
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
if (options.svg) {
  const lines = series.map(({ name, ms }) => ({ name, points: ms.map(({ median }, at) => [lengths[at], median]) }));
  writeFileSync(options.svg, lineChart({ x: "tokens in the text", y: "ms a step", lines }));
}
console.log(table());

/** Seconds of the processor's time that a run has. */
async function cost(request, max_new_tokens) {
  const before = await processor();
  const num_runs = await page.evaluate(
    async ([request, at_least_ms]) => {
      const begin = performance.now();
      let num_runs = 0;
      while (performance.now() - begin < at_least_ms) {
        await window.moeEngine.run(request);
        num_runs += 1;
      }
      return num_runs;
    },
    [{ ...request, max_new_tokens }, 1000 * Number(options.seconds)],
  );
  return ((await processor()) - before) / num_runs;
}

/** In the page: the engine with the model that comes with the page; the routing that it was trained with. */
async function startEngine() {
  const driver = "/peers/pages/ours.js";
  const { start } = await import(driver);
  window.moeEngine = await start(new URL("/models/default/manifest.json", location.href).href, "cpu");
  return window.moeEngine.routing;
}

/** In the page: for each number the longest beginning of the text with at most so many tokens, in whole words. */
async function beginnings([text, numbers]) {
  const words = text.split(/(?= )/);
  const counts = [];
  for (const at of words.keys()) counts.push(await window.moeEngine.count(words.slice(0, at + 1).join("")));
  return numbers.map((most) => {
    const last = counts.findLastIndex((count) => count <= most);
    if (last === words.length - 1) throw new Error(`the text has ${counts.at(-1)} tokens, fewer than ${most}`);
    return { text: words.slice(0, last + 1).join(""), num_tokens: counts[last] };
  });
}

function table() {
  const lines = [
    `| tokens | ${series.map(({ name }) => name).join(" | ")} |`,
    `| ---: | ${series.map(() => "---").join(" | ")} |`,
    ...lengths.map((length, at) => `| ${[length, ...series.map(({ ms }) => number(ms[at]))].join(" | ")} |`),
  ];
  return [`Milliseconds a step; ${results.browser}, ${results.cpu}.`, lines.join("\n")].join("\n\n");
}
