//! Random routing: the baseline that a learned gate must beat, and THOR (Zuo et al. 2022, arXiv:2110.04260), which
//! trains with nothing else.
//!
//! Baseline: `e = floor(u · E)`, weight 1, a fresh draw per token. THOR draws two distinct experts per step and layer,
//! runs all tokens through both, and adds a consistency loss between the two outputs; at inference one random expert, or
//! the average of all. Causal. The baseline keeps one seed at inference; THOR has no learned gate to train at all.

use crate::request::Request;

/// One request per token, weight 1. `uniforms`: `[tokens]`, draws in [0, 1).
pub fn requests(uniforms: &[f32], num_experts: usize) -> Vec<Request> {
    let experts = uniforms.iter().map(|&u| ((f64::from(u) * num_experts as f64) as usize).min(num_experts - 1));
    experts.enumerate().map(|(token, expert)| Request::new(token, 0, expert, 1.0, 1.0)).collect()
}

/// THOR's two experts of a step: the first two of a shuffle of all, as
/// [`permutation`](crate::draws::SplitMix64::permutation) makes one. At least two experts.
pub fn thor_pair(shuffled_experts: &[usize]) -> [usize; 2] {
    [shuffled_experts[0], shuffled_experts[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_spread_over_the_experts() {
        let experts: Vec<u32> = requests(&[0.0, 0.2499, 0.25, 0.99999994, 1.0], 4).iter().map(|r| r.expert.0).collect();
        assert_eq!(experts, [0, 0, 1, 3, 3]);
        assert_eq!(thor_pair(&[2, 0, 1]), [2, 0]);
    }
}
