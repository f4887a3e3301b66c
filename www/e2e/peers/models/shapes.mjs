// The sizes of the models that are measured, in the words of our manifest. Both are Mixtral's architecture
// (arXiv:2401.04088) with a tied embedding. `s` has the sizes of the model that comes with the page.

const COMMON = {
  d_head: 32,
  num_experts: 8,
  max_tokens: 512,
  rope_theta: 10_000,
  gate: { form: "linear" },
  num_shared_experts: 0,
  selection_bias: false,
};

export const SHAPES = {
  s: { vocab_size: 1024, d_model: 128, num_layers: 4, num_heads: 4, num_kv_heads: 2, d_expert: 256, ...COMMON },
  m: { vocab_size: 4096, d_model: 256, num_layers: 6, num_heads: 8, num_kv_heads: 4, d_expert: 512, ...COMMON },
};

/** Experts that a token asks. */
export const K = 2;

/** What every engine adds to a mean of squares. */
export const NORM_EPSILON = 1e-5;

/** Numbers of the matrices, gates and norms. */
export function numParameters({
  vocab_size,
  d_model,
  num_layers,
  num_heads,
  num_kv_heads,
  d_head,
  num_experts,
  d_expert,
}) {
  const attention = d_model * d_head * (2 * num_heads + 2 * num_kv_heads);
  const experts = num_experts * 3 * d_model * d_expert;
  return vocab_size * d_model + num_layers * (attention + experts + d_model * num_experts + 2 * d_model) + d_model;
}
