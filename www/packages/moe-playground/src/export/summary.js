// A run that has ended, in a few numbers: what `run()` gives.

import { firstPosition } from "../export/rows.js";

/**
 * @import { MoePlaygroundSummary } from "../../index.d.ts"
 * @import { FinishReason, TraceFile, TracedToken } from "../../types.d.ts"
 */

const decoder = new TextDecoder();

/**
 * @param {TraceFile} trace
 * @param {number} run
 * @param {FinishReason} reason
 * @returns {MoePlaygroundSummary}
 */
export function summaryOf({ header, steps }, run, reason) {
  const request = header.request;
  // With the group `this text` the last step has the whole text; else each step has its own tokens.
  const parts = request?.group === "this_text" ? steps.slice(-1) : steps;
  /** @type {TracedToken[]} */
  const tokens = [];
  for (const step of parts) tokens.splice(firstPosition(step), tokens.length, ...step.tokens);
  const bytes = tokens.map(({ bytes }) => bytes ?? []);
  const numPrompt =
    request?.group === "this_text" ? (steps[0]?.tokens.length ?? 0) : prompted(bytes, request?.prompt ?? "");
  const routings = parts.flatMap(({ layers }) => layers.map(({ routing }) => routing?.assignments ?? []));
  const losses = tokens.flatMap(({ loss }) => (typeof loss === "number" ? [loss] : []));
  return {
    run,
    reason,
    source: header.origin.source,
    prompt: request?.prompt ?? "",
    written: decoder.decode(Uint8Array.from(bytes.slice(numPrompt).flat())),
    num_prompt_tokens: numPrompt,
    num_new_tokens: tokens.length - numPrompt,
    num_requests: count(routings.flat(), ({ fate }) => fate === "kept" || fate === "lost"),
    num_lost: count(routings.flat(), ({ fate }) => fate === "lost"),
    num_dropped: routings.reduce((sum, assignments) => sum + dropped(assignments), 0),
    loss: losses.length > 0 ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length : null,
  };
}

/** The tokens of the text whose bytes are the prompt's. */
function prompted(bytes, prompt) {
  const length = new TextEncoder().encode(prompt).length;
  let read = 0;
  return bytes.filter((of) => {
    const isGiven = read < length;
    read += of.length;
    return isGiven;
  }).length;
}

/** Tokens of a layer that lost every request. */
function dropped(assignments) {
  /** @type {Map<number, boolean>} */
  const lostAll = new Map();
  for (const { token, fate } of assignments) {
    if (fate === "kept" || fate === "lost") lostAll.set(token, (lostAll.get(token) ?? true) && fate === "lost");
  }
  return count([...lostAll.values()], (isLost) => isLost);
}

const count = (list, is) => list.filter(is).length;
