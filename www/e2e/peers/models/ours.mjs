// A model's folder as the page loads it: manifest, tokenizer, weights. Every lower-case letter is a token.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { K } from "./shapes.mjs";
import { bytesOf } from "./weights.mjs";

/** Numbers that share a scale in our files. */
const BLOCK = 64;

/** Writes the folder's files. */
export function writeOurs(folder, name, shape, weights) {
  const tokenizer = Buffer.from(JSON.stringify(tokenizerOf(shape.vocab_size)));
  const numbers = safetensors(tensors(shape, weights));
  const entry = (file, bytes) => {
    writeFileSync(join(folder, file), bytes);
    return { file, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  const manifest = {
    version: 1,
    name,
    title: "random weights",
    config: shape,
    trained_routing: {
      router: { rule: "top_k", k: K, weighting: { form: "norm" } },
      overflow: { kind: "dropless" },
    },
    weights: entry("weights.safetensors", numbers),
    tokenizer: entry("tokenizer.json", tokenizer),
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

/** The end of a text, 256 bytes in GPT-2's alphabet, and pairs of bytes that no prompt has, up to the vocabulary's size. */
function tokenizerOf(vocabSize) {
  const ranges = [
    [0x21, 0x7e],
    [0xa1, 0xac],
    [0xae, 0xff],
    [0x100, 0x143],
  ];
  const letters = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
  const bytes = letters.map((code) => String.fromCodePoint(code));
  const rare = bytes.slice(-68);
  const pairs = rare.flatMap((first) => rare.map((second) => [first, second])).slice(0, vocabSize - bytes.length - 1);
  const vocab = Object.fromEntries(
    ["<|end|>", ...bytes, ...pairs.map((pair) => pair.join(""))].map((it, id) => [it, id]),
  );
  return {
    version: "1.0",
    added_tokens: [
      { id: 0, content: "<|end|>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    ],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: { type: "BPE", vocab, merges: pairs },
  };
}

/** `[name, type, shape, bytes]` of every tensor. */
function tensors({ d_model, num_experts }, { embedding, layers }) {
  const ones = (name) => [name, "F32", [d_model], bytesOf(new Float32Array(d_model).fill(1))];
  const matrix = (name, { shape, values, scale }) => {
    const scales = new Float32Array(values.length / BLOCK).fill(scale);
    return [
      [`${name}.scale`, "F32", [scales.length], bytesOf(scales)],
      [name, "I8", shape, bytesOf(values)],
    ];
  };
  const ofLayer = ({ gate, ...matrices }, layer) => [
    ones(`blocks.${layer}.attention_norm`),
    ones(`blocks.${layer}.moe_norm`),
    [`blocks.${layer}.gate`, "F32", [d_model, num_experts], bytesOf(gate)],
    ...Object.entries(matrices).flatMap(([name, it]) => matrix(`blocks.${layer}.${name}`, it)),
  ];
  const all = [ones("final_norm"), ...matrix("embedding", embedding), ...layers.flatMap(ofLayer)];
  // What is wider comes first, so that everything is aligned.
  return all.sort(([, one], [, other]) => Number(one === "I8") - Number(other === "I8"));
}

/** The file: the header's length in eight bytes, the header, the numbers. */
function safetensors(tensors) {
  const header = {};
  let end = 0;
  for (const [name, dtype, shape, bytes] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...tensors.map(([, , , bytes]) => bytes)]);
}
