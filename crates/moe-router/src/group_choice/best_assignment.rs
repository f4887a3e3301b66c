//! The best balanced assignment, exactly: what BASE's auction approximates.
//!
//! Maximises `Σ_t z[t, a_t]` with at most `ceil(T / E)` tokens per expert (Lewis et al. 2021, arXiv:2103.16716, eq. 1, which
//! asks for exactly `T / E`), by the Hungarian method (Kuhn 1955; shortest augmenting paths with potentials). The slots of
//! an expert are alike, so one price per expert does for all of them. Ties: lower expert. Not causal. For training only:
//! inference takes everybody's best expert, [`auction::greedy`](super::auction::greedy), without balance.
//! A token that is admitted costs at most `O(T · E)`: a few milliseconds for hundreds of tokens, too long for many thousands.
//!
//! The [running example](crate::example): six tokens, so at most two for each of the four experts. Everybody's wish
//! would be worth 8.96 and crowd four tokens into expert 0; moving token 1 (1.50 to 1.16) and token 2 (1.44 to 0.80)
//! costs least.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::group_choice::{auction, best_assignment::best_assignment};
//!
//! let gate_logits = example::gate_logits();
//! assert_eq!(auction::greedy(&gate_logits), [0, 0, 0, 2, 0, 3]);
//! assert_close(&[auction::total_affinity(&gate_logits, &[0, 0, 0, 2, 0, 3])], &[8.96]);
//! assert_eq!(best_assignment(&gate_logits), [0, 1, 3, 2, 0, 3]);
//! assert_close(&[auction::total_affinity(&gate_logits, &[0, 1, 3, 2, 0, 3])], &[7.98]);
//! ```

use moe_trace::GateLogits;

/// Everybody's expert, and what a slot at each expert costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// `[tokens]`. Where tokens divide evenly, every expert gets the same number.
    pub experts: Vec<usize>,
    /// `[experts]`, in logits, 0 or more: at these prices everybody's own expert is the best buy, by logit less price.
    pub prices: Vec<f64>,
}

/// Everybody's expert, `[tokens]`. Where tokens divide evenly, every expert gets the same number.
pub fn best_assignment(gate_logits: &GateLogits) -> Vec<usize> {
    priced(gate_logits).experts
}

/// The same with the prices that bring it about.
pub fn priced(gate_logits: &GateLogits) -> Priced {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let share = num_tokens.div_ceil(num_experts);

    // No token and expert have less than 0 of cost - token price - expert price, and a token and its own expert have 0.
    let mut token_price = vec![0.0; num_tokens];
    let mut expert_price = vec![0.0; num_experts];
    let mut expert_of: Vec<Option<usize>> = vec![None; num_tokens];
    let mut tokens_of: Vec<Vec<usize>> = vec![Vec::with_capacity(share); num_experts];
    for newcomer in 0..num_tokens {
        // The cheapest way to each expert: what it costs, and which token would move in.
        let mut distance = vec![f64::INFINITY; num_experts];
        let mut mover = vec![newcomer; num_experts];
        let mut is_visited = vec![false; num_experts];
        let mut visited = Vec::new();
        let mut leaving = vec![newcomer];
        let free = loop {
            for &token in &leaving {
                for (expert, &logit) in gate_logits.row(token).iter().enumerate() {
                    let cost = -f64::from(logit) - token_price[token] - expert_price[expert];
                    if !is_visited[expert] && cost < distance[expert] {
                        distance[expert] = cost;
                        mover[expert] = token;
                    }
                }
            }
            let unvisited = (0..num_experts).filter(|&expert| !is_visited[expert]);
            let Some(nearest) = unvisited.min_by(|&a, &b| distance[a].total_cmp(&distance[b])) else {
                // As many slots as tokens: some expert has room before all are visited.
                unreachable!("{num_tokens} tokens fill {num_experts} experts of {share} slots");
            };
            let step = distance[nearest];
            token_price[newcomer] += step;
            for &expert in &visited {
                let expert: usize = expert;
                expert_price[expert] -= step;
                tokens_of[expert].iter().for_each(|&token| token_price[token] += step);
            }
            distance.iter_mut().for_each(|distance| *distance -= step);
            if tokens_of[nearest].len() < share {
                break nearest;
            }
            is_visited[nearest] = true;
            visited.push(nearest);
            leaving.clone_from(&tokens_of[nearest]);
        };
        // Everyone on the way moves up by one.
        let mut to = free;
        loop {
            let token = mover[to];
            tokens_of[to].push(token);
            let Some(from) = expert_of[token].replace(to) else { break };
            tokens_of[from].retain(|&other| other != token);
            to = from;
        }
    }
    // In the search a price is a discount on a cost.
    let prices = expert_price.into_iter().map(|price: f64| 0.0 - price).collect();
    Priced { experts: expert_of.into_iter().flatten().collect(), prices }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::SplitMix64;
    use crate::group_choice::auction::total_affinity;

    /// The best total over all assignments that respect the shares, by trying them all.
    fn by_trial(gate_logits: &GateLogits, share: usize) -> f64 {
        let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
        let all = 0..num_experts.pow(num_tokens as u32);
        let totals = all.filter_map(|code| {
            let experts: Vec<usize> = (0..num_tokens).map(|t| code / num_experts.pow(t as u32) % num_experts).collect();
            let fits = (0..num_experts).all(|e| experts.iter().filter(|&&of| of == e).count() <= share);
            fits.then(|| total_affinity(gate_logits, &experts))
        });
        totals.fold(f64::NEG_INFINITY, f64::max)
    }

    /// With prices to pay, nobody would rather be elsewhere; and a slot that is free costs nothing.
    #[test]
    fn at_these_prices_everybody_is_content() {
        let mut draws = SplitMix64::new(12);
        for (num_tokens, num_experts) in [(6, 3), (20, 8), (7, 3), (1, 4), (0, 2)] {
            for _ in 0..20 {
                let values = (0..num_tokens * num_experts).map(|_| draws.normal() as f32).collect();
                let gate_logits = GateLogits::new(num_experts, values).expect("whole rows");
                let Priced { experts, prices } = priced(&gate_logits);
                for (logits, &own) in gate_logits.rows().zip(&experts) {
                    let buy = |expert: usize| f64::from(logits[expert]) - prices[expert];
                    assert!((0..num_experts).all(|other| buy(other) <= buy(own) + 1e-9));
                }
                for (expert, &price) in prices.iter().enumerate() {
                    let load = experts.iter().filter(|&&of| of == expert).count();
                    let is_full = load == num_tokens.div_ceil(num_experts);
                    assert!(price >= 0.0 && (is_full || price == 0.0), "{price}");
                }
            }
        }
    }

    #[test]
    fn no_assignment_is_better() {
        let mut draws = SplitMix64::new(11);
        for (num_tokens, num_experts) in [(6, 3), (6, 2), (5, 2), (7, 3), (1, 4), (4, 1), (0, 2)] {
            for _ in 0..20 {
                let values = (0..num_tokens * num_experts).map(|_| draws.normal() as f32).collect();
                let gate_logits = GateLogits::new(num_experts, values).expect("whole rows");
                let found = total_affinity(&gate_logits, &best_assignment(&gate_logits));
                let best = by_trial(&gate_logits, num_tokens.div_ceil(num_experts));
                assert!((found - best).abs() < 1e-9, "{found}, but {best} is possible");
            }
        }
    }
}
