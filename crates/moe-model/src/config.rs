//! Every size of a model, as data.

use moe_trace::limits::LAYERS;
use serde::{Deserialize, Serialize};

use crate::forms::attention::AttentionConfig;
use crate::forms::experts::ExpertsConfig;
use crate::forms::gate::GateConfig;
use crate::forms::shared_experts::SharedExpertsConfig;

/// Sizes of a decoder-only Mixture-of-Experts transformer. Widths are `d_…`, counts `num_…`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    pub vocab_size: usize,
    pub d_model: usize,
    pub num_layers: usize,
    pub num_heads: usize,
    /// Key-value heads; several query heads share one (grouped-query attention).
    pub num_kv_heads: usize,
    pub d_head: usize,
    pub num_experts: usize,
    /// Hidden width of one SwiGLU expert.
    pub d_expert: usize,
    /// The longest text the model can see, in tokens.
    pub max_tokens: usize,
    /// Base of the rotary frequencies: `theta^(-2 i / d_head)`.
    pub rope_theta: f64,
    /// How a layer's gate makes logits of a token's state.
    #[serde(default)]
    pub gate: GateConfig,
    /// Experts beside the routed ones that every token asks, with weight 1 (DeepSeekMoE, arXiv:2401.06066, eq. 9).
    #[serde(default)]
    pub num_shared_experts: usize,
    /// Has every layer a bias that is added to the scores when experts are selected, and only then
    /// (arXiv:2408.15664)?
    #[serde(default)]
    pub selection_bias: bool,
}

/// A size that does not fit the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{num_heads} query heads do not share {num_kv_heads} key-value heads evenly")]
    Heads { num_heads: usize, num_kv_heads: usize },
    #[error("d_head is {d_head}; it must be even and at most {max}", max = moe_kernels::MAX_D_HEAD)]
    HeadWidth { d_head: usize },
    #[error("{num_experts} experts; a layer has 1 to {max}", max = moe_kernels::MAX_EXPERTS)]
    Experts { num_experts: usize },
    #[error("{max_tokens} tokens times {widest} columns are more than one kernel launch of {max}", max = moe_kernels::MAX_INVOCATIONS)]
    Launch { max_tokens: usize, widest: u64 },
    #[error("{name} is {found}; it may be at most {most}")]
    Large { name: &'static str, found: usize, most: u64 },
    #[error(
        "these sizes make {found} numbers of weights and cached keys and values; a model has at most {MAX_NUMBERS}"
    )]
    Memory { found: u64 },
    #[error("rope_theta is {theta}; it must be a positive number")]
    Theta { theta: String },
    #[error("{name} is 0")]
    Zero { name: &'static str },
}

/// Weights, and keys and values of a whole text: as f32 they are 2 GB.
const MAX_NUMBERS: u64 = 1 << 29;

/// The sizes of the page's default model, but for the tokenizer's: 3.5 M parameters, 4 layers, 8 experts.
impl Default for ModelConfig {
    fn default() -> ModelConfig {
        ModelConfig {
            vocab_size: 1024,
            d_model: 128,
            num_layers: 4,
            num_heads: 4,
            num_kv_heads: 2,
            d_head: 32,
            num_experts: 8,
            d_expert: 256,
            max_tokens: 256,
            rope_theta: 10_000.0,
            gate: GateConfig::Linear,
            num_shared_experts: 0,
            selection_bias: false,
        }
    }
}

impl ModelConfig {
    /// The default sizes with another vocabulary.
    pub fn small(vocab_size: usize) -> ModelConfig {
        ModelConfig { vocab_size, ..ModelConfig::default() }
    }

    /// A model small enough for tests on a software adapter.
    pub fn tiny() -> ModelConfig {
        ModelConfig {
            vocab_size: 48,
            d_model: 16,
            num_layers: 2,
            num_heads: 2,
            num_kv_heads: 1,
            d_head: 8,
            num_experts: 4,
            d_expert: 24,
            max_tokens: 32,
            ..ModelConfig::default()
        }
    }

    /// Checks what the kernels and the attention rely on, and that the model is of a size that can be loaded. No sum or
    /// product overflows here, whatever a file says; after it none does anywhere.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("num_layers", self.num_layers),
            ("num_heads", self.num_heads),
            ("num_kv_heads", self.num_kv_heads),
            ("d_expert", self.d_expert),
            ("max_tokens", self.max_tokens),
        ];
        if let Some((name, _)) = sizes.into_iter().chain(self.gate.sizes()).find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero { name });
        }
        let most = moe_kernels::MAX_INVOCATIONS as u64;
        let counts = [("num_shared_experts", self.num_shared_experts), ("d_head", self.d_head)];
        let bounded = sizes.into_iter().chain(counts).chain(self.gate.sizes()).map(|(name, size)| (name, size, most));
        for (name, found, most) in [("num_layers", self.num_layers, LAYERS)].into_iter().chain(bounded) {
            if found as u64 > most {
                return Err(ConfigError::Large { name, found, most });
            }
        }
        if !self.num_heads.is_multiple_of(self.num_kv_heads) {
            return Err(ConfigError::Heads { num_heads: self.num_heads, num_kv_heads: self.num_kv_heads });
        }
        if self.d_head == 0 || !self.d_head.is_multiple_of(2) || self.d_head > moe_kernels::MAX_D_HEAD {
            return Err(ConfigError::HeadWidth { d_head: self.d_head });
        }
        if self.num_experts == 0 || self.num_experts > moe_kernels::MAX_EXPERTS {
            return Err(ConfigError::Experts { num_experts: self.num_experts });
        }
        let product = |one: usize, other: usize| one as u64 * other as u64;
        let (d_queries, d_keys) = (product(self.num_heads, self.d_head), product(self.num_kv_heads, self.d_head));
        let d_qkv = d_queries + 2 * d_keys;
        let d_experts = product(self.num_experts, self.d_expert);
        let d_shared = product(self.num_shared_experts, self.d_expert);
        // Attention has a workgroup for each head of a token.
        let of_heads = product(self.num_heads, moe_kernels::kernel::WORKGROUP_SIZE as usize);
        let columns = [self.vocab_size as u64, d_experts, d_shared, d_qkv, of_heads, self.d_model as u64];
        let widest = columns.into_iter().max().unwrap_or(0);
        if (self.max_tokens as u64).saturating_mul(widest) > most {
            return Err(ConfigError::Launch { max_tokens: self.max_tokens, widest });
        }
        let (d_model, d_gate) =
            (self.d_model as f64, self.gate.sizes().iter().map(|(_, size)| *size as f64).sum::<f64>());
        let of_gate = (d_model + self.num_experts as f64) * (d_gate + self.num_experts as f64);
        let of_block = d_model * (d_qkv + d_queries + 3 * (d_experts + d_shared)) as f64 + of_gate;
        let cache = 2.0 * self.max_tokens as f64 * d_keys as f64;
        let found = d_model * self.vocab_size as f64 + self.num_layers as f64 * (of_block + cache);
        // What is too large for a u64 is the largest one.
        let found = found as u64;
        if found > MAX_NUMBERS {
            return Err(ConfigError::Memory { found });
        }
        if !(self.rope_theta.is_finite() && self.rope_theta > 0.0) {
            return Err(ConfigError::Theta { theta: self.rope_theta.to_string() });
        }
        Ok(())
    }

    /// Sizes of a block's attention.
    pub fn attention(&self) -> AttentionConfig {
        let ModelConfig { d_model, num_heads, num_kv_heads, d_head, .. } = *self;
        AttentionConfig { d_model, num_heads, num_kv_heads, d_head }
    }

    /// Sizes of a block's routed experts.
    pub fn experts(&self) -> ExpertsConfig {
        let ModelConfig { d_model, num_experts, d_expert, .. } = *self;
        ExpertsConfig { d_model, num_experts, d_expert }
    }

    /// Sizes of a block's shared experts, where it has any.
    pub fn shared_experts(&self) -> Option<SharedExpertsConfig> {
        let ModelConfig { d_model, num_shared_experts: count, d_expert, .. } = *self;
        (count > 0).then_some(SharedExpertsConfig { d_model, count, d_expert })
    }

    /// All parameters. The embedding is also the head and counts once.
    pub fn num_parameters(&self) -> usize {
        self.num_parameters_with(self.num_experts)
    }

    /// Parameters that take part in the computation of one token when each asks `k` experts.
    pub fn num_active_parameters(&self, k: usize) -> usize {
        self.num_parameters_with(k.min(self.num_experts))
    }

    fn num_parameters_with(&self, num_experts: usize) -> usize {
        let gate = self.gate.num_parameters(self.d_model, self.num_experts);
        let bias = if self.selection_bias { self.num_experts } else { 0 };
        let experts = ExpertsConfig { num_experts, ..self.experts() }.num_parameters();
        let shared = self.shared_experts().map_or(0, |shared| shared.num_parameters());
        let norms = 2 * self.d_model;
        let block = self.attention().num_parameters() + gate + bias + experts + shared + norms;
        self.vocab_size * self.d_model + self.num_layers * block + self.d_model
    }

    /// Cosines and sines of the rotary angles, `[max_tokens, 2, d_head / 2]`, computed in f64.
    pub fn rope_angles(&self) -> Vec<f32> {
        let half = self.d_head / 2;
        let mut values = Vec::with_capacity(self.max_tokens * self.d_head);
        for position in 0..self.max_tokens {
            let angle = |i: usize| position as f64 * self.rope_theta.powf(-2.0 * i as f64 / self.d_head as f64);
            values.extend((0..half).map(|i| angle(i).cos() as f32));
            values.extend((0..half).map(|i| angle(i).sin() as f32));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::cosine_gate::CosineGateConfig;

    #[test]
    fn the_small_model_has_the_promised_size() {
        let config = ModelConfig::small(1024);
        assert_eq!(config.num_parameters(), 3_478_656);
        assert_eq!(config.num_active_parameters(2), 1_119_360);
        assert_eq!(config.check(), Ok(()));
        // Half as wide, twice as many, one of them shared: the same size (DeepSeekMoE), but for gate and bias.
        let fine =
            ModelConfig { num_experts: 15, d_expert: 128, num_shared_experts: 1, selection_bias: true, ..config };
        assert_eq!(fine.num_parameters(), 3_478_656 + 4 * (7 * 128 + 15));
        assert_eq!(fine.num_active_parameters(3), 1_119_360 + 4 * (7 * 128 + 15));
        let cosine =
            ModelConfig { gate: GateConfig::Cosine(CosineGateConfig { d_gate: 4 }), ..ModelConfig::small(1024) };
        assert_eq!(cosine.num_parameters(), 3_478_656 - 4 * 128 * 8 + 4 * (4 * 136 + 1));
        let flat = ModelConfig { gate: GateConfig::Cosine(CosineGateConfig { d_gate: 0 }), ..ModelConfig::tiny() };
        assert_eq!(flat.check(), Err(ConfigError::Zero { name: "d_gate" }));
    }

    #[test]
    fn sizes_that_do_not_fit_are_named() {
        let odd = ModelConfig { num_heads: 3, num_kv_heads: 2, ..ModelConfig::tiny() };
        let message = odd.check().expect_err("uneven heads").to_string();
        assert_eq!(message, "3 query heads do not share 2 key-value heads evenly");
        assert!(ModelConfig { d_head: 80, ..ModelConfig::tiny() }.check().is_err());
        assert!(ModelConfig { num_experts: 65, ..ModelConfig::tiny() }.check().is_err());
        let deep = ModelConfig { num_layers: 1025, ..ModelConfig::tiny() };
        assert_eq!(deep.check().expect_err("too deep").to_string(), "num_layers is 1025; it may be at most 1024");
        let heavy = ModelConfig { num_layers: 1024, d_model: 4096, ..ModelConfig::default() };
        let message = heavy.check().expect_err("too heavy").to_string();
        assert!(message.starts_with("these sizes make 27451785216 numbers"), "{message}");
    }

    /// On a machine of 32 bits, where a size may be as large as a number gets.
    #[test]
    fn no_size_overflows() {
        let most = u32::MAX as usize;
        let config = ModelConfig {
            vocab_size: most,
            d_model: most,
            num_layers: most,
            num_heads: most,
            num_kv_heads: most,
            d_head: most,
            num_experts: most,
            d_expert: most,
            max_tokens: most,
            num_shared_experts: most,
            ..ModelConfig::default()
        };
        assert!(config.check().is_err());
    }
}
