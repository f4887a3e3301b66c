//! The best balanced assignment, exactly: what BASE's auction approximates.
//!
//! Maximises `Σ_t z[t, a_t]` with at most `ceil(T / E)` tokens per expert, by the Hungarian method (Kuhn 1955; shortest
//! augmenting paths with potentials): tokens are matched with slots, `ceil(T / E)` slots per expert. `O(T² · slots)`:
//! for hundreds of tokens, not thousands. Not causal.

use moe_trace::GateLogits;

/// Everybody's expert, `[tokens]`. Where tokens divide evenly, every expert gets the same number.
pub fn best_assignment(gate_logits: &GateLogits) -> Vec<usize> {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let share = num_tokens.div_ceil(num_experts);
    let num_slots = share * num_experts;
    let cost = |token: usize, slot: usize| -f64::from(gate_logits.row(token)[slot / share]);

    // Tokens are admitted one by one. Slot `num_slots` is the doorstep, where a newcomer stands at first.
    let mut token_potential = vec![0.0; num_tokens];
    let mut slot_potential = vec![0.0; num_slots + 1];
    let mut occupant: Vec<Option<usize>> = vec![None; num_slots + 1];
    for newcomer in 0..num_tokens {
        occupant[num_slots] = Some(newcomer);
        let mut slot = num_slots;
        // Cheapest way to free each slot, and over which slot it leads.
        let mut distance = vec![f64::INFINITY; num_slots];
        let mut previous = vec![num_slots; num_slots];
        let mut visited = vec![false; num_slots + 1];
        while let Some(token) = occupant[slot] {
            visited[slot] = true;
            let (mut nearest, mut step) = (num_slots, f64::INFINITY);
            for next in (0..num_slots).filter(|&next| !visited[next]) {
                let reduced = cost(token, next) - token_potential[token] - slot_potential[next];
                if reduced < distance[next] {
                    distance[next] = reduced;
                    previous[next] = slot;
                }
                if distance[next] < step {
                    step = distance[next];
                    nearest = next;
                }
            }
            for reached in 0..=num_slots {
                if visited[reached] {
                    if let Some(token) = occupant[reached] {
                        token_potential[token] += step;
                    }
                    slot_potential[reached] -= step;
                } else {
                    distance[reached] -= step;
                }
            }
            slot = nearest;
        }
        // A free slot: everyone on the way moves up by one.
        while slot != num_slots {
            occupant[slot] = occupant[previous[slot]];
            slot = previous[slot];
        }
    }
    let mut experts = vec![0; num_tokens];
    for (slot, token) in occupant[..num_slots].iter().enumerate() {
        if let Some(token) = token {
            experts[*token] = slot / share;
        }
    }
    experts
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
