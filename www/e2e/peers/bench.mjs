// Ours beside other engines in one browser: `cargo xtask bench peers`. All run the same models of random weights, on one
// thread, and write the same tokens; rounds go through the engines forwards and backwards in turn.
//
//   node peers/bench.mjs --models FOLDER [--rounds 5] [--shapes s,m] [--engines TEXT] [--seconds 1] [--json FILE]
//
// `--engines` keeps those whose names have the text, and the first. Rates are tokens by the processor's time that the
// renderers had: a decode is what 65 tokens after a prompt of 16 cost more than one, divided by 64; a prefill is all that
// a prompt of 128 tokens costs until its next token is known. Prints Markdown.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { launch } from "../lib/browser.mjs";
import { SITE_URL } from "../lib/environment.mjs";
import { summary } from "../lib/statistics.mjs";
import { ENGINES } from "./engines.mjs";
import { SHAPES } from "./models/shapes.mjs";
import { writeModels } from "./models/write.mjs";
import { processorTime } from "../lib/processor.mjs";
import { peerServer } from "./server.mjs";
import { table } from "./table.mjs";
import { cost, visit, written } from "./visit.mjs";

const { values: options } = parseArgs({
  options: {
    models: { type: "string" },
    rounds: { type: "string", default: "5" },
    shapes: { type: "string", default: Object.keys(SHAPES).join(",") },
    engines: { type: "string", default: "" },
    seconds: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
const AT_LEAST_MS = 1000 * Number(options.seconds);
/** Tokens of the prompt before a decode, of a decode, and of a prefill. */
const [BEFORE, DECODED, PREFILLED] = [16, 64, 128];
/** Visits for the time to the first token. */
const NUM_VISITS = 3;

const engines = ENGINES.filter(({ name }, at) => at === 0 || name.includes(options.engines));
const server = await peerServer(SITE_URL, options.models);
const browser = await launch("cpu");
const results = { browser: `Chromium ${browser.version()}`, cpu: `${cpus().length} × ${cpus()[0]?.model}`, shapes: [] };
try {
  const processor = await processorTime(browser);
  for (const shape of options.shapes.split(",")) {
    console.error(`shape ${shape}: writing its files`);
    writeModels(options.models, shape);
    results.shapes.push(await measure(shape, processor));
  }
} finally {
  await browser.close();
  server.close();
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(table(results));

/** All engines with the model of one shape. */
async function measure(shape, processor) {
  const samples = engines.map(() => ({ first_token_ms: [], decode: [], prefill: [] }));
  // The last visits stay open.
  let visits = [];
  for (let round = 0; round < NUM_VISITS; round += 1) {
    for (const { close } of visits) await close();
    visits = [];
    for (const [at, engine] of engines.entries()) {
      visits.push(await visit(browser, server, engine, shape));
      samples[at].first_token_ms.push(visits[at].first_token_ms);
    }
    console.error(`shape ${shape}: visit ${round + 1}/${NUM_VISITS}`);
  }
  const same = await numSame(shape, visits);
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const order = [...engines.keys()];
    if (round % 2 === 1) order.reverse();
    for (const at of order) {
      const costs = (prompt, count) => cost(visits[at].page, processor, prompt, count, AT_LEAST_MS);
      const [first, all] = [await costs(BEFORE, 1), await costs(BEFORE, 1 + DECODED)];
      samples[at].decode.push(DECODED / (all - first));
      samples[at].prefill.push(engines[at].readsSingly ? Number.NaN : PREFILLED / (await costs(PREFILLED, 1)));
    }
    console.error(`shape ${shape}: round ${round + 1}/${options.rounds}`);
  }
  const ofEngines = engines.map(({ name, isOurs = false }, at) => ({
    name,
    isOurs,
    engine_bytes: visits[at].engine_bytes,
    num_same_tokens: same[at],
    first_token_ms: summary(samples[at].first_token_ms),
    ...compared("decode", samples[at], samples[0]),
    ...compared("prefill", samples[at], samples[0]),
  }));
  for (const { close } of visits) await close();
  return { shape, num_tokens: 1 + DECODED, engines: ofEngines };
}

/** A rate in all rounds, and how many times as fast the first engine was in the same round. */
function compared(rate, sample, first) {
  const ratios = sample[rate].map((value, round) => first[rate][round] / value);
  return { [rate]: summary(sample[rate]), [`${rate}_ratio`]: summary(ratios) };
}

/** How many of the first tokens of a text an engine has as the first one in f32 has them; null where it does not tell.
 * It is a first run too, after which code is fast. */
async function numSame(shape, visits) {
  const texts = [];
  for (const { page } of visits) texts.push(await written(page, BEFORE, 1 + DECODED));
  const trusted = texts[engines.findIndex(({ isExact }) => isExact)] ?? texts[0];
  return texts.map((tokens, at) => {
    const { name, isExact } = engines[at];
    if (tokens.length === 0) return null;
    if (tokens.length !== trusted.length) throw new Error(`${name} wrote ${tokens.length} tokens, shape ${shape}`);
    const different = tokens.findIndex((id, at) => id !== trusted[at]);
    if (different === 0 && isExact) throw new Error(`${name} runs another model, shape ${shape}: ${tokens}`);
    return different < 0 ? tokens.length : different;
  });
}
