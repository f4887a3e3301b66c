// What was measured, as Markdown.

import { number } from "../lib/statistics.mjs";
import { SHAPES, numParameters } from "./models/shapes.mjs";

/** What we want to be, beside the fastest of the others. */
const TARGETS = { decode: 2, prefill: 1.5 };

export function table({ browser, cpu, shapes }) {
  const parts = shapes.map(({ shape, num_tokens, engines }) => {
    const millions = (numParameters(SHAPES[shape]) / 1e6).toFixed(1);
    return [
      `**${shape}**, ${millions} M parameters`,
      rows(engines, num_tokens),
      ...Object.keys(TARGETS).map((rate) => beside(rate, engines)),
    ].join("\n\n");
  });
  return [`${browser}, ${cpu}, one thread each.`, ...parts].join("\n\n");
}

function rows(engines, num_tokens) {
  const heads = [
    "engine",
    "engine by gzip, kB",
    "decode, tokens/s of CPU",
    "ours is faster by",
    "prefill, tokens/s of CPU",
    "ours is faster by",
    "navigation to first token, ms",
    `of ${num_tokens} tokens, as in f32`,
  ];
  const lines = engines.map((it) => {
    const kilobytes = Math.round(it.engine_bytes / 1000).toLocaleString("en-US");
    const numbers = [it.decode, it.decode_ratio, it.prefill, it.prefill_ratio, it.first_token_ms].map(number);
    return `| ${[it.name, kilobytes, ...numbers, it.num_same_tokens ?? "–"].join(" | ")} |`;
  });
  return [`| ${heads.join(" | ")} |`, `| --- | ---: | ${"--- | ".repeat(6).trim()}`, ...lines].join("\n");
}

/** Ours, the first, beside the fastest of the others. */
function beside(rate, engines) {
  const peers = engines.filter((it) => !it.isOurs && it[rate]);
  if (peers.length === 0) return `${rate}: nobody else was measured.`;
  const best = peers.reduce((best, it) => (it[rate].median > best[rate].median ? it : best));
  const ratio = best[`${rate}_ratio`];
  const verdict = ratio.median >= TARGETS[rate] ? "met" : "not met";
  return `${rate}: ${number(ratio)} times the fastest of the others (${best.name}); the target of ${TARGETS[rate]} is ${verdict}.`;
}
