// A model for llama.cpp: GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), architecture `llama` with
// experts, matrices in f32 or in 8-bit blocks. Letters are tokens as in our tokenizers; all others are spelled as their
// ids, so that a text that was written says its tokens.

import { writeFileSync } from "node:fs";

import { letterOf } from "./letters.js";
import { K, NORM_EPSILON } from "./shapes.mjs";
import { bytesOf, inF32, transposed } from "./weights.mjs";

const ALIGNMENT = 32;
/** Kinds of tensors, by ggml's numbers. */
const F32 = 0;
const Q8_0 = 8;
/** Numbers that share a scale in Q8_0. */
const BLOCK = 32;

/** Writes the file: matrices as `"f32"` or `"q8_0"`. */
export function writeGguf(file, shape, weights, kind) {
  const metadata = Object.entries(metadataOf(shape)).map(([key, [type, value]]) => [
    string(key),
    ...typed(type, value),
  ]);
  const infos = [];
  const data = [];
  let offset = 0;
  for (const [name, dimensions, type, bytes] of tensors(shape, weights, kind)) {
    infos.push(string(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset));
    data.push(padded(bytes));
    offset += data.at(-1).length;
  }
  const counts = [u64(data.length), u64(metadata.length)];
  const head = Buffer.concat([Buffer.from("GGUF"), u32(3), ...counts, ...metadata.flat(), ...infos]);
  writeFileSync(file, Buffer.concat([padded(head), ...data]));
}

function metadataOf({
  vocab_size,
  d_model,
  num_layers,
  num_heads,
  num_kv_heads,
  d_head,
  num_experts,
  d_expert,
  ...rest
}) {
  return {
    "general.architecture": ["string", "llama"],
    "general.alignment": ["u32", ALIGNMENT],
    "llama.vocab_size": ["u32", vocab_size],
    "llama.context_length": ["u32", rest.max_tokens],
    "llama.embedding_length": ["u32", d_model],
    "llama.block_count": ["u32", num_layers],
    "llama.feed_forward_length": ["u32", d_expert],
    "llama.attention.head_count": ["u32", num_heads],
    "llama.attention.head_count_kv": ["u32", num_kv_heads],
    "llama.attention.layer_norm_rms_epsilon": ["f32", NORM_EPSILON],
    "llama.rope.dimension_count": ["u32", d_head],
    "llama.rope.freq_base": ["f32", rest.rope_theta],
    "llama.expert_count": ["u32", num_experts],
    "llama.expert_used_count": ["u32", K],
    "tokenizer.ggml.model": ["string", "llama"],
    "tokenizer.ggml.tokens": ["strings", Array.from({ length: vocab_size }, (_, id) => letterOf(id) ?? `<${id}>`)],
    "tokenizer.ggml.scores": ["f32s", new Array(vocab_size).fill(0)],
    // Ordinary tokens; and one of none, which ends a text.
    "tokenizer.ggml.token_type": ["i32s", Array.from({ length: vocab_size }, (_, id) => (id === 0 ? 3 : 1))],
    "tokenizer.ggml.bos_token_id": ["u32", 0],
    "tokenizer.ggml.eos_token_id": ["u32", 0],
    "tokenizer.ggml.unknown_token_id": ["u32", 0],
    "tokenizer.ggml.add_bos_token": ["bool", false],
    "tokenizer.ggml.add_eos_token": ["bool", false],
    "tokenizer.ggml.add_space_prefix": ["bool", false],
  };
}

/** `[name, dimensions, type, bytes]` of every tensor; the first dimension is the one whose numbers are neighbours. */
function tensors(shape, { embedding, layers }, kind) {
  const { d_model, num_heads, num_kv_heads, d_head, num_experts } = shape;
  const plain = (name, dimensions, numbers) => [name, dimensions, F32, bytesOf(numbers)];
  const ones = (name) => plain(name, [d_model], new Float32Array(d_model).fill(1));
  /** Of a matrix `[..., outputs, inputs]`. */
  const matrix = (name, it) => {
    const dimensions = [...it.shape].reverse();
    return kind === "f32" ? plain(name, dimensions, inF32(it)) : [name, dimensions, Q8_0, blocks(it)];
  };
  const [d_queries, d_keys] = [num_heads * d_head, num_kv_heads * d_head];
  const ofLayer = ({ w_qkv, w_out, w_gate, w_up, w_down, gate }, layer) => {
    const at = `blk.${layer}`;
    const qkv = transposed(w_qkv);
    const rows = (from, count) => ({
      shape: [count, d_model],
      values: qkv.values.subarray(from * d_model, (from + count) * d_model),
      scale: qkv.scale,
    });
    return [
      ones(`${at}.attn_norm.weight`),
      matrix(`${at}.attn_q.weight`, rotatedInPairs(rows(0, d_queries), d_head)),
      matrix(`${at}.attn_k.weight`, rotatedInPairs(rows(d_queries, d_keys), d_head)),
      matrix(`${at}.attn_v.weight`, rows(d_queries + d_keys, d_keys)),
      matrix(`${at}.attn_output.weight`, transposed(w_out)),
      ones(`${at}.ffn_norm.weight`),
      plain(`${at}.ffn_gate_inp.weight`, [d_model, num_experts], turned(gate, d_model, num_experts)),
      matrix(`${at}.ffn_gate_exps.weight`, transposed(w_gate)),
      matrix(`${at}.ffn_up_exps.weight`, transposed(w_up)),
      matrix(`${at}.ffn_down_exps.weight`, transposed(w_down)),
    ];
  };
  return [matrix("token_embd.weight", embedding), ones("output_norm.weight"), ...layers.flatMap(ofLayer)];
}

/** Rotary positions turn number i with number i + d_head / 2 in our files, and neighbours in this architecture. */
function rotatedInPairs({ shape, values, scale }, d_head) {
  const [rows, width] = shape;
  const half = d_head / 2;
  const moved = new Int8Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    const within = row % d_head;
    const target = row - within + 2 * (within % half) + Math.floor(within / half);
    moved.set(values.subarray(row * width, (row + 1) * width), target * width);
  }
  return { shape, values: moved, scale };
}

/** `[inputs, outputs]` to `[outputs, inputs]`. */
function turned(numbers, inputs, outputs) {
  return Float32Array.from(numbers, (_, at) => numbers[(at % inputs) * outputs + Math.floor(at / inputs)]);
}

/** Q8_0: of each block the scale in half precision and its 8-bit numbers. */
function blocks({ values, scale }) {
  const bytes = Buffer.alloc((values.length / BLOCK) * (2 + BLOCK));
  // A power of two in half precision: no sign, the exponent and 15, no fraction.
  const half = (Math.log2(scale) + 15) << 10;
  for (let block = 0; block * BLOCK < values.length; block += 1) {
    const at = bytes.writeUInt16LE(half, block * (2 + BLOCK));
    bytes.set(bytesOf(values.subarray(block * BLOCK, (block + 1) * BLOCK)), at);
  }
  return bytes;
}

/** The kinds of metadata: their numbers in the format, and how a value is written. */
const TYPES = {
  u32: { number: 4, write: u32 },
  i32: { number: 5, write: (value) => written(4, (bytes) => bytes.writeInt32LE(value)) },
  f32: { number: 6, write: (value) => written(4, (bytes) => bytes.writeFloatLE(value)) },
  bool: { number: 7, write: (value) => Buffer.from([Number(value)]) },
  string: { number: 8, write: string },
};
/** Several of one kind: its number, how many, and each. */
const ARRAY = 9;

/** A kind's number and a value of it; of an array's kind the name ends in an s. */
function typed(type, value) {
  if (TYPES[type]) return [u32(TYPES[type].number), TYPES[type].write(value)];
  const { number, write } = TYPES[type.slice(0, -1)];
  return [u32(ARRAY), u32(number), u64(value.length), ...value.map(write)];
}

function written(size, write) {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

function u32(value) {
  return written(4, (bytes) => bytes.writeUInt32LE(value));
}

function u64(value) {
  return written(8, (bytes) => bytes.writeBigUInt64LE(BigInt(value)));
}

function string(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);
}
