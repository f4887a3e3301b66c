// How soon the page is there over a line: its first paint, the recorded run and the live engine, with an empty cache and
// once more from the cache, and what was fetched for it.
//
//   node bench_network.mjs --folder DIST [--repeats 3] [--json FILE]
//
// `DIST` is what `cargo xtask dist` writes. On the CPU. Prints a Markdown table.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { Figure } from "./lib/figure.mjs";
import { record } from "./lib/record.mjs";
import { slowHost } from "./lib/slow_host.mjs";
import { number, summary } from "./lib/statistics.mjs";

const { values: options } = parseArgs({
  options: { folder: { type: "string" }, repeats: { type: "string", default: "3" }, json: { type: "string" } },
});

/** The last is the "slow 4G" by which Lighthouse measures. */
const LINES = [
  { name: "this machine", line: null },
  { name: "10 Mbit/s, 40 ms", line: { bits_per_s: 10e6, round_trip_ms: 40 } },
  { name: "1.6 Mbit/s, 150 ms", line: { bits_per_s: 1.6e6, round_trip_ms: 150 } },
];

const browser = await launch("cpu");
const rows = [];
for (const { name, line } of LINES) {
  const visits = [];
  for (let repeat = 0; repeat < Number(options.repeats); repeat += 1) {
    visits.push(...(await bothVisits(line)));
    console.error(`${name} ${repeat + 1}/${options.repeats}`);
  }
  for (const cache of ["empty", "kept"]) {
    const of = (what) => summary(visits.filter((visit) => visit.cache === cache).map((visit) => visit[what]));
    const [paint_ms, recorded_ms, live_ms, fetched_mb] = ["paint_ms", "recorded_ms", "live_ms", "fetched_mb"].map(of);
    rows.push({ line: name, cache, paint_ms, recorded_ms, live_ms, fetched_mb });
  }
}
await browser.close();
const results = { browser: browser.version(), cpu: `${cpus().length} × ${cpus()[0]?.model}`, rows };
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table());

/** The page from a host at the end of a line: a reader's first visit, and the second. */
async function bothVisits(line) {
  const host = await slowHost(options.folder, line);
  const { page, problems, close } = await newPage(browser);
  page.setDefaultTimeout(300_000);
  await page.addInitScript(record);
  const visits = [];
  for (const cache of ["empty", "kept"]) {
    const before = host.sent_bytes;
    await page.goto(host.url);
    const { at_ms } = await new Figure(page).live();
    const fetched_mb = (host.sent_bytes - before) / 1e6;
    visits.push({ cache, live_ms: at_ms, fetched_mb, ...(await page.evaluate(earlierTimes)) });
    // What is kept for the next visit is written behind the page's back.
    await page.waitForTimeout(1000);
  }
  await close();
  host.close();
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return visits;
}

/** In the page: milliseconds from navigation to the first paint with content, and to the first step of the recorded run. */
function earlierTimes() {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const recorded = window.moe.steps.find(({ detail }) => detail.run === 0);
  return { paint_ms: paint?.startTime, recorded_ms: recorded?.at_ms };
}

function table() {
  const lines = [
    "| line | cache | first paint, ms | recorded run, ms | live, ms | fetched until then, MB |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const { line, cache, paint_ms, recorded_ms, live_ms, fetched_mb } of rows) {
    lines.push(`| ${[line, cache, ...[paint_ms, recorded_ms, live_ms, fetched_mb].map(number)].join(" | ")} |`);
  }
  return lines.join("\n");
}
