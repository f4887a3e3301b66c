//! Load-balancing losses: one idea, five names, four scalings.
//!
//! `Σ_e f_e · P_e`: the fraction of tokens an expert gets (`f`, from counts, without a gradient) times the mean
//! probability the gate gives it (`P`). The literature scales it in ways that differ by factors of k and E², so
//! coefficients do not transfer between code bases; [`BalanceScaling`] names them. `P` is of the softmax over all experts,
//! whatever the weights.
//!
//! Counts are of choices, before any drop: they include a second expert that chance left out, and a null expert of AdaMoE
//! (each for itself; in that paper all nulls share their mean). Padding is no choice, and neither is a gate below the
//! threshold of a dense-to-sparse gate: it asks for nothing (that paper has no balance loss; were it counted, every token
//! would choose every expert, and the loss be 1 whatever the gate does). A routing is meant as it was before
//! [rectification](crate::overflow::rectify), which makes a second record of a request that it moves.
//! Without a choice, or without a token, every loss here is 0.
//!
//! The balanced value is no lower bound: `f` and `P` can disagree, and a loss below it is no bug.
//!
//! Top-2 of the [running example](crate::example): expert 0 is the first choice of 4 tokens in 6 and has a mean probability
//! of 0.4504. 4 · (0.6667 · 0.4504 + 0 + 0.1667 · 0.1540 + 0.1667 · 0.1854) = 1.4273, where balance gives 1. Over all
//! twelve choices (4, 4, 2, 2) it is 1.1071; Hugging Face's scaling makes the same gate twice as bad, and GShard's tiny.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{dispatch::dropless, gate_probs, losses, token_choice::top_k};
//!
//! let gate_logits = example::gate_logits();
//! let routing = dropless(&top_k::requests(&gate_logits, 2, moe_trace::Weighting::Norm), 6, 4);
//! let probs = gate_probs(&gate_logits);
//! assert_close(&[losses::switch(&probs, &routing)], &[1.4273]);
//! assert_close(&[losses::per_choice(&probs, &routing)], &[1.1071]);
//! assert_close(&[losses::hf_topk(&probs, &routing)], &[2.2141]); // k = 2 when balanced
//! assert_close(&[losses::gshard_paper(&probs, &routing)], &[0.0892]); // 1/16 when balanced
//! ```

use moe_trace::{Fate, Routing};

/// Switch (arXiv:2101.03961, eq. 4, without alpha): `E · Σ f_e · P_e`, `f` of first choices. 1 when balanced.
///
/// Also the form of mesh-TensorFlow, DeepSpeed top-1 and top-2, Tutel, V-MoE and fairseq.
/// `gate_probs`: `[tokens, experts]`, row-major.
pub fn switch(gate_probs: &[f32], routing: &Routing) -> f64 {
    let shares = Shares::of(gate_probs, routing);
    routing.num_experts as f64 * dot(&shares.first_choices, &shares.mean_probs)
}

/// Hugging Face's form for top-k models: `E · Σ (n_e / T) · P_e`, `n` over all choices. k when balanced.
///
/// `gate_probs`: `[tokens, experts]`, row-major.
pub fn hf_topk(gate_probs: &[f32], routing: &Routing) -> f64 {
    let shares = Shares::of(gate_probs, routing);
    routing.num_experts as f64 * dot(&shares.all_choices, &shares.mean_probs) * shares.choices_per_token
}

/// Megatron, MegaBlocks, DeepSeek's expert level: `E / (k T) · Σ n_e · P_e`, `n` over all choices. 1 when balanced, for
/// every k; the default of the user interface.
///
/// `gate_probs`: `[tokens, experts]`, row-major.
pub fn per_choice(gate_probs: &[f32], routing: &Routing) -> f64 {
    let shares = Shares::of(gate_probs, routing);
    routing.num_experts as f64 * dot(&shares.all_choices, &shares.mean_probs)
}

/// GShard's algorithm 1 as printed (arXiv:2006.16668): `1/E · Σ f_e · P_e`, `f` of first choices. 1/E² when balanced.
///
/// `gate_probs`: `[tokens, experts]`, row-major.
pub fn gshard_paper(gate_probs: &[f32], routing: &Routing) -> f64 {
    let shares = Shares::of(gate_probs, routing);
    dot(&shares.first_choices, &shares.mean_probs) / routing.num_experts as f64
}

/// The five names under which the literature has this loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceScaling {
    /// [`switch`].
    Switch,
    /// [`hf_topk`].
    HfTopk,
    /// [`per_choice`], the default of the user interface.
    PerChoice,
    /// [`gshard_paper`].
    GshardPaper,
    /// "A Survey on Mixture of Experts" (Cai et al. 2024, eq. 6-8): the same as [`switch`], though it names GShard.
    Survey,
}

impl BalanceScaling {
    /// All five.
    pub const ALL: [BalanceScaling; 5] = [
        BalanceScaling::Switch,
        BalanceScaling::HfTopk,
        BalanceScaling::PerChoice,
        BalanceScaling::GshardPaper,
        BalanceScaling::Survey,
    ];

    /// The loss in this scaling. `gate_probs`: `[tokens, experts]`, row-major.
    pub fn loss(self, gate_probs: &[f32], routing: &Routing) -> f64 {
        match self {
            BalanceScaling::Switch | BalanceScaling::Survey => switch(gate_probs, routing),
            BalanceScaling::HfTopk => hf_topk(gate_probs, routing),
            BalanceScaling::PerChoice => per_choice(gate_probs, routing),
            BalanceScaling::GshardPaper => gshard_paper(gate_probs, routing),
        }
    }

    /// What each expert adds to the loss, `[experts]`. `gate_probs`: `[tokens, experts]`, row-major.
    pub fn terms(self, gate_probs: &[f32], routing: &Routing) -> Vec<f64> {
        let shares = Shares::of(gate_probs, routing);
        let num_experts = routing.num_experts as f64;
        let (of_experts, scale) = match self {
            BalanceScaling::Switch | BalanceScaling::Survey => (&shares.first_choices, num_experts),
            BalanceScaling::HfTopk => (&shares.all_choices, num_experts * shares.choices_per_token),
            BalanceScaling::PerChoice => (&shares.all_choices, num_experts),
            BalanceScaling::GshardPaper => (&shares.first_choices, 1.0 / num_experts),
        };
        of_experts.iter().zip(&shares.mean_probs).map(|(f, p)| scale * f * p).collect()
    }

    /// Its value when experts are used evenly and the gate agrees, for `k` choices among `num_experts` experts. No lower
    /// bound.
    pub fn when_balanced(self, k: usize, num_experts: usize) -> f64 {
        match self {
            BalanceScaling::Switch | BalanceScaling::PerChoice | BalanceScaling::Survey => 1.0,
            BalanceScaling::HfTopk => k as f64,
            BalanceScaling::GshardPaper => 1.0 / (num_experts * num_experts) as f64,
        }
    }
}

/// What the losses multiply, each `[experts]`.
struct Shares {
    /// Share of the tokens' first choices.
    first_choices: Vec<f64>,
    /// Share of all choices.
    all_choices: Vec<f64>,
    /// Choices per token on average; the k of a top-k rule.
    choices_per_token: f64,
    /// Mean gate probability over the tokens.
    mean_probs: Vec<f64>,
}

impl Shares {
    fn of(gate_probs: &[f32], routing: &Routing) -> Shares {
        let num_experts = routing.num_experts as usize;
        assert_eq!(gate_probs.len(), routing.num_tokens as usize * num_experts, "gate probabilities of other tokens");
        let mut is_padding = vec![false; routing.num_tokens as usize];
        let (mut first, mut all) = (vec![0.0; num_experts], vec![0.0; num_experts]);
        for assignment in &routing.assignments {
            is_padding[assignment.token as usize] |= assignment.fate == Fate::Padding;
            if is_choice(assignment.fate) {
                all[assignment.expert.index()] += 1.0;
                first[assignment.expert.index()] += f64::from(u8::from(assignment.rank == 0));
            }
        }
        let mut mean_probs = vec![0.0; num_experts];
        let rows = gate_probs.chunks(num_experts).zip(&is_padding);
        for (probs, _) in rows.filter(|(_, is_padding)| !**is_padding) {
            for (mean, &p) in mean_probs.iter_mut().zip(probs) {
                *mean += f64::from(p);
            }
        }
        let tokens = is_padding.iter().filter(|is_padding| !**is_padding).count().max(1) as f64;
        let choices = all.iter().sum::<f64>().max(1.0);
        first.iter_mut().for_each(|count| *count /= tokens);
        all.iter_mut().for_each(|count| *count /= choices);
        mean_probs.iter_mut().for_each(|sum| *sum /= tokens);
        Shares { first_choices: first, all_choices: all, choices_per_token: choices / tokens, mean_probs }
    }
}

/// Does the balance loss count a request that met this fate? Whatever the gate chose, but neither padding nor a gate below
/// its threshold.
pub fn is_choice(fate: Fate) -> bool {
    !matches!(fate, Fate::Padding | Fate::BelowThreshold)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_trace::{Assignment, ExpertIdx};

    /// Every token asks its most probable expert.
    fn check<const E: usize>(gate_probs: &[[f32; E]], expected: f64) {
        let first_choices = gate_probs.iter().enumerate().map(|(token, probs)| {
            let expert = ExpertIdx(crate::gate::top_k(probs, 1)[0] as u32);
            Assignment { token: token as u32, rank: 0, expert, weight: 1.0, weight_raw: 1.0, fate: Fate::Lost }
        });
        let (num_tokens, num_experts) = (gate_probs.len() as u32, E as u32);
        let routing = Routing { num_tokens, num_experts, capacity: None, assignments: first_choices.collect() };
        let loss = switch(gate_probs.as_flattened(), &routing);
        assert!((loss - expected).abs() < 1e-6, "{loss} should be {expected}");
        // With one choice per token the scalings differ by known factors only.
        assert!((hf_topk(gate_probs.as_flattened(), &routing) - expected).abs() < 1e-6);
        assert!((per_choice(gate_probs.as_flattened(), &routing) - expected).abs() < 1e-6);
        let squared = (E * E) as f64;
        assert!((gshard_paper(gate_probs.as_flattened(), &routing) * squared - expected).abs() < 1e-5);
    }

    #[test]
    fn four_tokens_by_hand() {
        // Winners 0, 2, 2, 0: f = [2, 0, 2] / 4.   Column means: P = [1.7, 1.1, 1.2] / 4.
        // 3 · (0.5 · 0.425 + 0.5 · 0.3) = 1.0875
        check(&[[0.5, 0.4, 0.1], [0.3, 0.3, 0.4], [0.1, 0.2, 0.7], [0.8, 0.2, 0.0]], 1.0875);
    }

    #[test]
    fn balanced_values_of_all_scalings() {
        // Every token asks both experts and is torn between them.
        let of_token = |token: u32| {
            [token % 2, 1 - token % 2].into_iter().enumerate().map(move |(rank, expert)| Assignment {
                token,
                rank: rank as u32,
                expert: ExpertIdx(expert),
                weight: 0.5,
                weight_raw: 0.5,
                fate: Fate::Kept { slot: 0 },
            })
        };
        let assignments = (0..4).flat_map(of_token).collect();
        let routing = Routing { num_tokens: 4, num_experts: 2, capacity: None, assignments };
        for scaling in BalanceScaling::ALL {
            let loss = scaling.loss(&[0.5; 8], &routing);
            assert!((loss - scaling.when_balanced(2, 2)).abs() < 1e-9, "{scaling:?}: {loss}");
        }
    }

    #[test]
    fn padding_is_in_no_mean() {
        let fates = [Fate::Lost, Fate::Lost, Fate::Padding];
        let assignments = fates.into_iter().zip([0, 1, 0]).enumerate().map(|(token, (fate, expert))| Assignment {
            token: token as u32,
            rank: 0,
            expert: ExpertIdx(expert),
            weight: 1.0,
            weight_raw: 1.0,
            fate,
        });
        let routing = Routing { num_tokens: 3, num_experts: 2, capacity: None, assignments: assignments.collect() };
        assert!((switch(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0], &routing) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_gate_below_the_threshold_is_no_choice() {
        use crate::{Router, RouterInput};
        use moe_trace::{GateLogits, Overflow, RoutingSpec};
        // Both tokens give expert 0 a weight of 0.982 and expert 1 less than the threshold: f = (1, 0), P = (0.982, 0.018).
        let gate_logits = GateLogits::new(2, vec![4.0, 0.0, 4.0, 0.0]).expect("two rows of two");
        let router = crate::rules::parse_router("dense_to_sparse:temperature=1,threshold=0.02").expect("a rule");
        let router = Router::new(RoutingSpec { router, overflow: Overflow::Dropless }, 2).expect("two experts");
        let routing = router.route(&RouterInput::new(&gate_logits));
        let loss = per_choice(&crate::gate_probs(&gate_logits), &routing);
        assert!((loss - 2.0 * 0.98201).abs() < 1e-4, "{loss}");
        assert!((switch(&crate::gate_probs(&gate_logits), &routing) - loss).abs() < 1e-9);
    }

    #[test]
    fn balance_is_one_but_not_the_least() {
        check(&[[1.0, 0.0], [0.0, 1.0]], 1.0);
        check(&[[1.0, 0.0], [1.0, 0.0]], 2.0);
        // f = [0.4, 0.6], P = [0.694, 0.306]: 2 · (0.2776 + 0.1836) = 0.9224, below the balanced value.
        let (sure, unsure) = ([1.0, 0.0], [0.49, 0.51]);
        check(&[sure, sure, sure, sure, unsure, unsure, unsure, unsure, unsure, unsure], 0.9224);
    }
}
