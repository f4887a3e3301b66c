// A model for ONNX Runtime: the same blocks by its fused operators (norm with residual, grouped-query attention with
// rotary positions), the experts by the operators of three kinds of files.

import { writeFileSync } from "node:fs";

import { Graph } from "./onnx_file.mjs";
import { K, NORM_EPSILON } from "./shapes.mjs";
import { inF32, transposed } from "./weights.mjs";

/** Numbers that share a scale in 8 bits. */
const BLOCK = 32;

/**
 * Writes the file. `kind`: `"gather"`, f32, where a layer gathers the matrices of its experts, for one token a call;
 * `"moe"`, f32 and the operator MoE; `"q8"`, 8 bits, MatMulNBits and QMoE.
 */
export function writeOnnx(file, shape, weights, kind) {
  const { vocab_size, d_model, num_heads, num_kv_heads, d_head } = shape;
  const graph = new Graph();
  const numTokens = kind === "gather" ? 1 : "tokens";
  const ids = graph.input("ids", BigInt64Array, [1, numTokens]);
  const lastPosition = graph.input("last_position", Int32Array, [1]);
  const length = graph.input("length", Int32Array, []);
  const [cosines, sines] = angles(graph, shape);
  const ones = graph.constant("ones", [d_model], new Float32Array(d_model).fill(1));
  const linear = kind === "q8" ? linearInQ8 : linearInF32;
  const experts = { gather: gatheredExperts, moe: expertsInF32, q8: expertsInQ8 }[kind];
  const normed = (x) => graph.node("SimplifiedLayerNormalization", [x, ones], { axis: -1, epsilon: NORM_EPSILON });
  /** The sum, and what it is normed. */
  const added = (name, x, residual) => {
    const outputs = [`${name}.normed`, "", "", `${name}.sum`];
    const inputs = [x, residual, ones];
    graph.node("com.microsoft:SkipSimplifiedLayerNormalization", inputs, { epsilon: NORM_EPSILON }, outputs);
    return { x: outputs[3], normed: outputs[0] };
  };

  const table = graph.constant("embedding", [vocab_size, d_model], inF32(weights.embedding));
  const x = graph.node("Gather", [table, ids]);
  let state = { x, normed: normed(x) };
  for (const [layer, matrices] of weights.layers.entries()) {
    const at = (name) => `layer_${layer}.${name}`;
    const qkv = linear(graph, at("w_qkv"), matrices.w_qkv, state.normed);
    const [past, present] = [["past_key", "past_value"].map(at), ["present_key", "present_value"].map(at)];
    for (const name of past) graph.input(name, Float32Array, [1, num_kv_heads, "past", d_head]);
    for (const name of present) graph.output(name, Float32Array, [1, num_kv_heads, "present", d_head]);
    const attended = graph.node(
      "com.microsoft:GroupQueryAttention",
      [qkv, "", "", ...past, lastPosition, length, cosines, sines],
      { num_heads, kv_num_heads: num_kv_heads, do_rotary: 1 },
      [at("attended"), ...present],
    );
    state = added(at("attention"), linear(graph, at("w_out"), matrices.w_out, attended), state.x);
    const { gate, ...ofExperts } = matrices;
    const columns = graph.constant(at("gate"), [d_model, shape.num_experts], gate);
    const rows = graph.node("Reshape", [state.normed, graph.integers(-1, d_model)]);
    const logits = graph.node("MatMul", [rows, columns]);
    state = added(at("experts"), experts(graph, at, shape, ofExperts, state.normed, logits), state.x);
  }
  // The next token follows from the last one alone.
  const last = graph.node("Gather", [state.normed, graph.constant("last", [], BigInt64Array.of(-1n))], { axis: 1 });
  const head = linear(graph, "head", transposed(weights.embedding), last);
  graph.node("Identity", [head], {}, ["logits"]);
  graph.output("logits", Float32Array, [1, vocab_size]);
  writeFileSync(file, graph.bytes());
}

/** Cosines and sines of the rotary angles, `[max_tokens, d_head / 2]` each. */
function angles(graph, { max_tokens, d_head, rope_theta }) {
  const half = d_head / 2;
  const table = (name, of) => {
    const angle = (at) => of(Math.floor(at / half) * rope_theta ** (-(at % half) / half));
    const numbers = Float32Array.from({ length: max_tokens * half }, (_, at) => angle(at));
    return graph.constant(name, [max_tokens, half], numbers);
  };
  return [table("cosines", Math.cos), table("sines", Math.sin)];
}

/** A product with a matrix `[inputs, outputs]`. */
function linearInF32(graph, name, matrix, x) {
  return graph.node("MatMul", [x, graph.constant(name, matrix.shape, inF32(matrix))]);
}

function linearInQ8(graph, name, matrix, x) {
  const [K, N] = matrix.shape;
  const { values, scales } = inBlocks(transposed(matrix));
  const inputs = [
    x,
    graph.constant(name, [N, K / BLOCK, BLOCK], values),
    graph.constant(`${name}.scale`, [N, K / BLOCK], scales),
  ];
  return graph.node("com.microsoft:MatMulNBits", inputs, { K, N, bits: 8, block_size: BLOCK, accuracy_level: 4 });
}

const SWIGLU = { activation_type: "swiglu", swiglu_fusion: 1, activation_alpha: 1, activation_beta: 0 };

function expertsInF32(graph, at, { num_experts, d_model, d_expert }, { w_gate, w_up, w_down }, x, logits) {
  const up = inF32(interleaved(transposed(w_gate), transposed(w_up)));
  const down = inF32(transposed(w_down));
  const inputs = [
    x,
    logits,
    graph.constant(at("w_up"), [num_experts, 2 * d_expert, d_model], up),
    "",
    graph.constant(at("w_down"), [num_experts, d_model, d_expert], down),
  ];
  return graph.node("com.microsoft:MoE", inputs, { k: K, normalize_routing_weights: 1, ...SWIGLU });
}

function expertsInQ8(graph, at, { num_experts, d_model, d_expert }, { w_gate, w_up, w_down }, x, logits) {
  const up = inBlocks(interleaved(transposed(w_gate), transposed(w_up)));
  const down = inBlocks(transposed(w_down));
  const inputs = [
    x,
    logits,
    graph.constant(at("w_up"), [num_experts, 2 * d_expert, d_model], up.values),
    graph.constant(at("w_up.scale"), [num_experts, 2 * d_expert, d_model / BLOCK], up.scales),
    "",
    graph.constant(at("w_down"), [num_experts, d_model, d_expert], down.values),
    graph.constant(at("w_down.scale"), [num_experts, d_model, d_expert / BLOCK], down.scales),
  ];
  const sizes = { k: K, normalize_routing_weights: 1, expert_weight_bits: 8, block_size: BLOCK };
  return graph.node("com.microsoft:QMoE", inputs, { ...sizes, ...SWIGLU });
}

/** Of one token: its experts' matrices, gathered; then one product for all of them. */
function gatheredExperts(graph, at, { num_experts, d_model, d_expert }, { w_gate, w_up, w_down }, x, logits) {
  const ups = graph.constant(at("w_up"), [num_experts, d_model, 2 * d_expert], beside(w_gate, w_up));
  const downs = graph.constant(at("w_down"), [num_experts, d_expert, d_model], inF32(w_down));
  const [best, chosen] = [at("best"), at("chosen")];
  graph.node("TopK", [logits, graph.integers(K)], { axis: -1 }, [best, chosen]);
  const experts = graph.node("Reshape", [chosen, graph.integers(K)]);
  const scores = graph.node("Softmax", [best], { axis: -1 });
  const row = graph.node("Reshape", [x, graph.integers(1, 1, d_model)]);
  const both = graph.node("MatMul", [row, graph.node("Gather", [ups, experts], { axis: 0 })]);
  const halves = [at("opening"), at("value")];
  graph.node("Split", [both], { axis: -1 }, halves);
  const open = graph.node("Mul", [halves[0], graph.node("Sigmoid", [halves[0]])]);
  const hidden = graph.node("Mul", [open, halves[1]]);
  const outputs = graph.node("MatMul", [hidden, graph.node("Gather", [downs, experts], { axis: 0 })]);
  const rows = graph.node("Reshape", [outputs, graph.integers(K, d_model)]);
  return graph.node("Reshape", [graph.node("MatMul", [scores, rows]), graph.integers(1, 1, d_model)]);
}

/** Rows of two matrices `[experts, outputs, inputs]` in turn. */
function interleaved(one, other) {
  const [num_experts, outputs, inputs] = one.shape;
  const values = new Int8Array(2 * one.values.length);
  for (let row = 0; row < num_experts * outputs; row += 1) {
    for (const [at, { values: from }] of [one, other].entries())
      values.set(from.subarray(row * inputs, (row + 1) * inputs), (2 * row + at) * inputs);
  }
  return { shape: [num_experts, 2 * outputs, inputs], values, scale: one.scale };
}

/** Columns of two matrices `[experts, inputs, outputs]`, the first one's before the other's, in f32. */
function beside(one, other) {
  const [num_experts, inputs, outputs] = one.shape;
  const numbers = new Float32Array(2 * one.values.length);
  for (let row = 0; row < num_experts * inputs; row += 1) {
    for (const [at, it] of [one, other].entries())
      for (let column = 0; column < outputs; column += 1)
        numbers[(2 * row + at) * outputs + column] = it.values[row * outputs + column] * it.scale;
  }
  return numbers;
}

/** 8-bit numbers as ONNX Runtime has them, from 0 with 128 in the middle, and a scale for each block. */
function inBlocks({ values, scale }) {
  return {
    values: Uint8Array.from(values, (value) => value + 128),
    scales: new Float32Array(values.length / BLOCK).fill(scale),
  };
}
