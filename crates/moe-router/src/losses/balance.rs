//! Load-balancing losses: one idea, five names, four scalings.
//!
//! `Σ_e f_e · P_e`: the fraction of tokens an expert gets (`f`, from counts, without a gradient) times the mean
//! probability the gate gives it (`P`). The literature scales it in ways that differ by factors of k and E², so
//! coefficients do not transfer between code bases; [`BalanceScaling`] names them. Counts are before any drop, and include a second expert that chance
//! left out; padding is excluded. `P` is of the softmax over all experts, whatever the weights.
//! The balanced value is no lower bound: `f` and `P` can disagree, and a loss below it is no bug.

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
            match assignment.fate {
                Fate::Padding => is_padding[assignment.token as usize] = true,
                _ => {
                    all[assignment.expert.index()] += 1.0;
                    first[assignment.expert.index()] += f64::from(u8::from(assignment.rank == 0));
                }
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
    fn balance_is_one_but_not_the_least() {
        check(&[[1.0, 0.0], [0.0, 1.0]], 1.0);
        check(&[[1.0, 0.0], [1.0, 0.0]], 2.0);
        // f = [0.4, 0.6], P = [0.694, 0.306]: 2 · (0.2776 + 0.1836) = 0.9224, below the balanced value.
        let (sure, unsure) = ([1.0, 0.0], [0.49, 0.51]);
        check(&[sure, sure, sure, sure, unsure, unsure, unsure, unsure, unsure, unsure], 0.9224);
    }
}
