// Random weights that every format holds exactly: a matrix is of 8-bit whole numbers times one power of two, so that
// 8-bit blocks of any size, f32 and half-precision scales say the same, and all engines run the same model.

/**
 * A matrix `[..., inputs, outputs]`, row-major: its numbers are `values` times `scale`.
 *
 * @typedef {{ shape: number[], values: Int8Array, scale: number }} Matrix
 */

/**
 * The embedding `[vocab, d_model]`, and of each layer the matrices of our files with the gate `[d_model, experts]`. All
 * gains of norms are 1.
 *
 * @typedef {{
 *   embedding: Matrix,
 *   layers: { w_qkv: Matrix, w_out: Matrix, w_gate: Matrix, w_up: Matrix, w_down: Matrix, gate: Float32Array }[]
 * }} Weights
 */

/** Standard deviation of a number that is any of −127 to 127. */
const SPREAD = 73.3;

/** @returns {Weights} */
export function randomWeights(shape, seed) {
  const { vocab_size, d_model, num_layers, num_heads, num_kv_heads, d_head, num_experts, d_expert } = shape;
  const next = bits(seed);
  /** The power of two that comes nearest to the wanted deviation. */
  const matrix = (shape, deviation) => {
    const values = new Int8Array(shape.reduce((product, size) => product * size, 1));
    const words = new Uint32Array(values.buffer);
    for (let at = 0; at < words.length; at += 1) words[at] = next();
    for (let at = 0; at < values.length; at += 1) if (values[at] === -128) values[at] = -127;
    return { shape, values, scale: 2 ** Math.round(Math.log2(deviation / SPREAD)) };
  };
  const byInputs = (...shape) => matrix(shape, shape.at(-2) ** -0.5);
  const d_queries = num_heads * d_head;
  // Small beside what the layers add, so that the likeliest token is not the one that was just read.
  const embedding = matrix([vocab_size, d_model], 0.02);
  // The end of a text, which all engines would stop at, has the logit 0 and is never the likeliest.
  embedding.values.fill(0, 0, d_model);
  const layers = Array.from({ length: num_layers }, () => ({
    w_qkv: byInputs(d_model, d_queries + 2 * num_kv_heads * d_head),
    w_out: byInputs(d_queries, d_model),
    w_gate: byInputs(num_experts, d_model, d_expert),
    w_up: byInputs(num_experts, d_model, d_expert),
    w_down: byInputs(num_experts, d_expert, d_model),
    gate: inF32(byInputs(d_model, num_experts)),
  }));
  return { embedding, layers };
}

/** The numbers of a matrix, row-major. */
export function inF32({ values, scale }) {
  return Float32Array.from(values, (value) => value * scale);
}

/** A matrix with its last two sides exchanged: `[..., outputs, inputs]`. */
export function transposed({ shape, values, scale }) {
  const [rows, columns] = shape.slice(-2);
  const turned = new Int8Array(values.length);
  for (let from = 0; from < values.length; from += rows * columns)
    for (let row = 0; row < rows; row += 1)
      for (let column = 0; column < columns; column += 1)
        turned[from + column * rows + row] = values[from + row * columns + column];
  return { shape: [...shape.slice(0, -2), columns, rows], values: turned, scale };
}

/** The bytes that these numbers are. */
export function bytesOf({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Marsaglia's xorshift of 32 bits (Journal of Statistical Software 8, 2003). */
function bits(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
