// What is measured beside each other: engines, each in the forms that may be its fastest.

/**
 * `driver` is a module of `pages`, `variant` what it makes of a model: a backend of ours, or a file. Where `readsSingly`,
 * a prompt is read token by token, which nobody would call its prefill. `isExact` are those that compute in f32: they
 * all write the same text.
 *
 * @typedef {{
 *   name: string, driver: string, variant: string, isOurs?: boolean, isExact?: boolean, readsSingly?: boolean
 * }} Engine
 */

/** @type {Engine[]} Ours comes first; the others are compared with it. */
export const ENGINES = [
  { name: "ours, 8 bits", driver: "ours", variant: "cpu", isOurs: true },
  { name: "ours, f32", driver: "ours", variant: "cpu_f32", isOurs: true, isExact: true },
  { name: "ours, 8 bits, in the page", driver: "page", variant: "cpu", isOurs: true },
  { name: "wllama, f32", driver: "wllama", variant: "f32", isExact: true },
  { name: "wllama, q8_0", driver: "wllama", variant: "q8_0" },
  {
    name: "onnxruntime-web, f32, plain operators",
    driver: "onnx",
    variant: "gather",
    readsSingly: true,
    isExact: true,
  },
  { name: "onnxruntime-web, f32, MoE", driver: "onnx", variant: "moe", isExact: true },
  { name: "onnxruntime-web, 8 bits, QMoE", driver: "onnx", variant: "q8" },
];
