//! How much memory a training takes, estimated from its sizes: two of them share what a browser's tab can spare.

use moe_model::ModelConfig;

/// Of one training, snapshots included; a lab has two.
pub const MOST_BYTES: u64 = 200_000_000;

/// Of snapshots, at most.
const MOST_SNAPSHOT_BYTES: u64 = 150_000_000;

/// Snapshots without which there is no going back that is worth it.
const FEWEST_SNAPSHOTS: u64 = 4;

/// A parameter and the optimiser's two moments, in f32.
const STATE: u64 = 12;

/// Of a parameter while it learns: the state, its gradient and what the optimiser makes of both; a state on its way to the
/// page, as numbers and as a file; and a teacher's parameter.
const AT_WORK: u64 = STATE + 8 + 2 * STATE + 4;

/// What a training needs beside its snapshots, bytes; `num_sequences` of the model's longest a step.
///
/// A step keeps what its backward pass reads, and a gradient of each. Experts are computed with as many rows each as the one
/// that is asked most: with all tokens each, where one gets all.
fn at_work(config: &ModelConfig, num_sequences: usize) -> u64 {
    // 32 bits, which are all that a size has in a browser, are too few for the products.
    let [d_model, num_layers, num_heads, num_experts, d_expert] =
        [config.d_model, config.num_layers, config.num_heads, config.num_experts, config.d_expert].map(|of| of as u64);
    let (num_tokens, num_shared_experts) = (config.max_tokens as u64, config.num_shared_experts as u64);
    let of_expert = 2 * d_model + 4 * d_expert;
    let attention = 3 * num_heads * num_tokens;
    let of_layer = 16 * d_model + attention + (num_experts + num_shared_experts) * of_expert + 4 * num_experts;
    let of_token = num_layers * of_layer + 3 * config.vocab_size as u64;
    AT_WORK * num_parameters(config) + 8 * num_sequences as u64 * num_tokens * of_token
}

fn num_parameters(config: &ModelConfig) -> u64 {
    config.num_parameters() as u64
}

/// Whether it can be held with a few snapshots; if not, how many bytes it would need.
pub fn check(config: &ModelConfig, num_sequences: usize) -> Result<(), u64> {
    let needed = at_work(config, num_sequences) + FEWEST_SNAPSHOTS * STATE * num_parameters(config);
    if needed > MOST_BYTES { Err(needed) } else { Ok(()) }
}

/// How many snapshots are kept.
pub fn num_snapshots(config: &ModelConfig, num_sequences: usize) -> usize {
    let left = MOST_BYTES.saturating_sub(at_work(config, num_sequences)).min(MOST_SNAPSHOT_BYTES);
    (left / (STATE * num_parameters(config))).max(FEWEST_SNAPSHOTS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lab's usual model.
    fn usual() -> ModelConfig {
        ModelConfig {
            vocab_size: 256,
            d_model: 64,
            num_layers: 2,
            num_heads: 4,
            num_kv_heads: 4,
            d_head: 16,
            num_experts: 8,
            d_expert: 64,
            max_tokens: 64,
            ..ModelConfig::default()
        }
    }

    #[test]
    fn what_is_kept_and_what_works_stay_below_the_bound_together() {
        assert_eq!(check(&usual(), 8), Ok(()));
        for num_layers in [1, 2, 4] {
            for num_experts in [1, 2, 8, 32] {
                for d_expert in [16, 64, 256] {
                    for num_sequences in [1, 8, 32] {
                        let config = ModelConfig { num_layers, num_experts, d_expert, ..usual() };
                        let kept = num_snapshots(&config, num_sequences) as u64 * STATE * num_parameters(&config);
                        let all = at_work(&config, num_sequences) + kept;
                        assert_eq!(check(&config, num_sequences).is_ok(), all <= MOST_BYTES, "{config:?}: {all}");
                    }
                }
            }
        }
        assert!(num_snapshots(&usual(), 8) >= 30, "{}", num_snapshots(&usual(), 8));
    }
}
