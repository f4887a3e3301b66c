// A run as a table: a row for every request, with all that was recorded about it.
//
// Modules of this folder name each other through the folder above (`../export/…`), as the element does: a build that
// puts hashes into names finds them by that.

/**
 * @import { GateLogits, LayerTrace, Scores, StepTrace, TraceFile } from "../../types.d.ts"
 */

/**
 * The columns, in their order. `null` stands for what was not recorded.
 *
 * - `step`, `layer`: as in the trace; `token`: the position in the text, from 0
 * - `text`: of the token; its bytes may be a fragment of a character, which is then U+FFFD here
 * - `rank`: 0 for the token's first choice; `expert`: from 0
 * - `logit`: of the gate, before anything else; `probability`: the softmax of the token's logits at temperature 1, or what
 *   the trace has as the gate's probabilities; `score`: what the rule made of it, before any normalisation
 * - `weight`: what the expert's output is multiplied with, if the request is kept
 * - `fate`, `slot`: as in the trace
 * - `loss`: of the token, in nats
 * - `token_id`, `bytes`: the exact token; bytes in hexadecimal
 */
export const COLUMNS = /** @type {const} */ ([
  "step",
  "layer",
  "token",
  "text",
  "rank",
  "expert",
  "logit",
  "probability",
  "score",
  "weight",
  "fate",
  "slot",
  "loss",
  "token_id",
  "bytes",
]);

/** @typedef {Record<(typeof COLUMNS)[number], any>} Row */

/**
 * The rows of some steps, in the order of the trace.
 *
 * @param {StepTrace[]} steps
 * @returns {Generator<Row>}
 */
export function* requestRows(steps) {
  for (const step of steps) {
    const first = firstPosition(step);
    const tokens = step.tokens.map(tokenColumns);
    for (const layer of step.layers) {
      const rowOf = layer.rows && new Map(layer.rows.map((token, row) => [token, row]));
      for (const { token, rank, expert, weight, weight_raw, fate, ...rest } of layer.routing?.assignments ?? []) {
        const { text, loss, token_id, bytes } = tokens[token];
        yield {
          step: step.step,
          layer: layer.layer,
          token: first + token,
          text,
          rank,
          expert,
          ...gateColumns(layer, rowOf ? rowOf.get(token) : token, expert),
          score: weight_raw,
          weight,
          fate,
          slot: /** @type {{ slot?: number }} */ (rest).slot ?? null,
          loss,
          token_id,
          bytes,
        };
      }
    }
  }
}

const decoder = new TextDecoder();

/** @param {StepTrace} step */
export function firstPosition(step) {
  return "first_position" in step ? step.first_position : 0;
}

/** @param {import("../../types.d.ts").TracedToken} token */
function tokenColumns({ id, bytes, loss }) {
  return {
    token_id: id ?? null,
    loss: loss ?? null,
    text: bytes ? decoder.decode(Uint8Array.from(bytes)) : null,
    bytes: bytes ? bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("") : null,
  };
}

/**
 * Logit and probability of one expert in one row of a layer.
 *
 * @param {LayerTrace} layer
 */
function gateColumns({ gate_logits, gate_probs }, row, expert) {
  const logits = row === undefined ? null : rowOf(gate_logits, row);
  const probabilities = row === undefined ? null : rowOf(gate_probs, row);
  return {
    logit: logits?.[expert] ?? null,
    probability: probabilities ? probabilities[expert] : logits && Math.fround(softmax(logits, expert)),
  };
}

/** @param {GateLogits | Scores | undefined} table */
function rowOf(table, row) {
  return table ? table.values.slice(row * table.num_experts, (row + 1) * table.num_experts) : null;
}

function softmax(logits, expert) {
  const highest = Math.max(...logits);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return Math.exp(logits[expert] - highest) / sum;
}

/**
 * The shortest number that is the same in 32 bits, as which traces have it: 0.1 and not 0.10000000149011612.
 *
 * @param {number} value
 */
export function shortest(value) {
  if (Number.isSafeInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
