//! mesh-TensorFlow's loss for second choices: balance among those who do not come first.
//!
//! `E² · mean_e(f2_e · P2_e) / 2`: `f2` the share of second choices, `P2` the mean of the probabilities with the first
//! choice taken out and the rest renormalised. Off by default there. 1/2 when balanced.
//!
//! Probabilities (0.5, 0.3, 0.2) and (0.2, 0.3, 0.5): expert 1 is the second choice twice. Without the winner they are
//! (-, 0.6, 0.4) and (0.4, 0.6, -), so `P2` of expert 1 is 0.6: 9 · (1 · 0.6) / 3 / 2 = 0.9.
//!
//! ```
//! use moe_router::{dispatch::dropless, example::assert_close, losses::second_place, token_choice::top_k};
//! use moe_trace::{GateLogits, Weighting};
//!
//! let probs = [0.5_f32, 0.3, 0.2, 0.2, 0.3, 0.5];
//! let gate_logits = GateLogits::new(3, probs.map(f32::ln).to_vec()).expect("two rows of three");
//! let routing = dropless(&top_k::requests(&gate_logits, 2, Weighting::Norm), 2, 3);
//! assert_close(&[second_place(&probs, &routing)], &[0.9]);
//! ```

use moe_trace::{Fate, Routing};

/// `gate_probs`: `[tokens, experts]`, row-major. `routing`: two choices per token at least, by descending probability.
pub fn second_place(gate_probs: &[f32], routing: &Routing) -> f64 {
    second_place_terms(gate_probs, routing).into_iter().sum()
}

/// What each expert adds to it, `[experts]`.
pub fn second_place_terms(gate_probs: &[f32], routing: &Routing) -> Vec<f64> {
    let num_experts = routing.num_experts as usize;
    let mut seconds = vec![0.0; num_experts];
    let mut mean_probs = vec![0.0; num_experts];
    for (token, probs) in gate_probs.chunks(num_experts).enumerate() {
        let [first, second, ..] = routing.of_token(token as u32) else { continue };
        seconds[second.expert.index()] += 1.0;
        let others = (0..num_experts).filter(|&expert| expert != first.expert.index());
        // A gate that is certain leaves nothing to the others; their shares are then 0.
        let rest = others.clone().map(|expert| f64::from(probs[expert])).sum::<f64>().max(f64::MIN_POSITIVE);
        others.for_each(|expert| mean_probs[expert] += f64::from(probs[expert]) / rest);
    }
    let is_padding = |token: &u32| routing.of_token(*token).iter().any(|a| a.fate == Fate::Padding);
    let tokens = (0..routing.num_tokens).filter(|token| !is_padding(token)).count().max(1) as f64;
    let products = seconds.iter().zip(&mean_probs).map(|(f2, p2)| f2 / tokens * p2 / tokens);
    products.map(|product| 0.5 * num_experts as f64 * product).collect()
}
