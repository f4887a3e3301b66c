//! What an expert is chosen for: shares of assignments by token id, position, domain or anything else one can name.
//!
//! Vocabulary and domain specialisation: OLMoE (Muennighoff et al. 2024, arXiv:2409.02060, eq. 6-8). Routing-decision
//! standard deviation: OpenMoE (Xue et al. 2024, arXiv:2402.01739, appendix E).

use std::collections::BTreeMap;

/// For every key, how its assignments are spread: `[experts]`, summing to 1 (ids: OLMoE's eq. 8 is this times `k`).
///
/// `experts`: `[tokens, k]`. `keys`: `[tokens]`, an id, position or domain each. Keys with fewer than `at_least` tokens
/// are left out: their shares are noise, and their deviation is biased upward (the paper asks for 128).
pub fn share_by_key(experts: &[u32], keys: &[u32], num_experts: usize, at_least: usize) -> BTreeMap<u32, Vec<f64>> {
    let k = experts.len() / keys.len().max(1);
    let mut counts: BTreeMap<u32, (usize, Vec<f64>)> = BTreeMap::new();
    for (&key, of_token) in keys.iter().zip(experts.chunks(k.max(1))) {
        let (tokens, of_key) = counts.entry(key).or_insert_with(|| (0, vec![0.0; num_experts]));
        *tokens += 1;
        of_token.iter().for_each(|&expert| of_key[expert as usize] += 1.0 / k as f64);
    }
    let frequent = counts.into_iter().filter(|(_, (tokens, _))| *tokens >= at_least);
    let share = |count: f64, tokens: usize| count / tokens as f64;
    frequent.map(|(key, (tokens, of_key))| (key, of_key.into_iter().map(|n| share(n, tokens)).collect())).collect()
}

/// Population standard deviation over experts of one key's shares, `[experts]`. 0 if the key says nothing about the
/// expert; [`routing_deviation_bound`] if it says everything.
pub fn routing_deviation(shares: &[f64]) -> f64 {
    let num_experts = shares.len().max(1) as f64;
    let mean = shares.iter().sum::<f64>() / num_experts;
    (shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / num_experts).sqrt()
}

/// The deviation of a key whose tokens all go to the same `k` experts: `√((1/k - 1/E) / E)`.
pub fn routing_deviation_bound(k: usize, num_experts: usize) -> f64 {
    ((1.0 / k as f64 - 1.0 / num_experts as f64) / num_experts as f64).sqrt()
}

/// Vocabulary specialisation of every expert, `[experts]`: `N_k(v,e) / N(v)`, the part of the tokens of id `v` that have
/// `e` among their `k` (OLMoE, eq. 8), averaged over the ids that the expert sees at all. Chance is `k / E`, 1 an expert
/// whose ids all go to it every time, 0 one that sees nobody. Every id counts alike, however frequent (our reading).
///
/// `experts`: `[tokens, k]`. `ids`: `[tokens]`, of the input, the next or the predicted token. Ids with fewer than
/// `at_least` tokens are left out.
///
/// ```
/// use moe_router::measure::vocabulary_specialization;
///
/// // Id 7 goes to expert 0 always; id 9 once to expert 0 and once to expert 1. Expert 0: (1 + 0.5) / 2.
/// assert_eq!(vocabulary_specialization(&[0, 0, 0, 1], &[7, 7, 9, 9], 3, 1), [0.75, 0.5, 0.0]);
/// ```
pub fn vocabulary_specialization(experts: &[u32], ids: &[u32], num_experts: usize, at_least: usize) -> Vec<f64> {
    let k = (experts.len() / ids.len().max(1)) as f64;
    let shares = share_by_key(experts, ids, num_experts, at_least);
    let of_expert = |expert: usize| {
        let seen: Vec<f64> = shares.values().map(|of_id| of_id[expert]).filter(|share| *share > 0.0).collect();
        k * seen.iter().sum::<f64>() / seen.len().max(1) as f64
    };
    (0..num_experts).map(of_expert).collect()
}

/// Domain specialisation as one number a domain (ours): the [`divergence`] of its distribution over experts from that of
/// all domains together, in nats. 0 for a domain that is routed like the rest, or is all there is. The distributions
/// themselves, `N_k(e,D) / N(D)` of OLMoE's eq. 7, are `k` times [`share_by_key`].
///
/// `experts`: `[tokens, k]`. `domains`: `[tokens]`.
///
/// ```
/// use moe_router::measure::domain_specialization;
///
/// // Domain 0 uses expert 0 alone, domain 1 expert 1 alone; together they are even. Against (1/2, 1/2) each diverges by
/// // ½ ln(1 / 0.75) + ½ (½ ln(0.5 / 0.75) + ½ ln(0.5 / 0.25)) = 0.2158 nats.
/// let found = domain_specialization(&[0, 0, 1, 1], &[0, 0, 1, 1], 2);
/// assert!((found[&0] - 0.2158).abs() < 1e-4 && (found[&1] - 0.2158).abs() < 1e-4);
/// ```
pub fn domain_specialization(experts: &[u32], domains: &[u32], num_experts: usize) -> BTreeMap<u32, f64> {
    let pooled = share_by_key(experts, &vec![0; domains.len()], num_experts, 1).remove(&0).unwrap_or_default();
    let of_domains = share_by_key(experts, domains, num_experts, 1);
    of_domains.into_iter().map(|(domain, shares)| (domain, divergence(&shares, &pooled))).collect()
}

/// Co-activation, `[experts, experts]`: of the tokens that chose `i`, the part that chose `j` too (OLMoE, eq. 6). The
/// diagonal is 1, or 0 for an expert that nobody chose. `experts`: `[tokens, k]`.
pub fn co_activation(experts: &[u32], k: usize, num_experts: usize) -> Vec<f64> {
    let mut together = vec![0.0; num_experts * num_experts];
    for of_token in experts.chunks(k) {
        for &i in of_token {
            of_token.iter().for_each(|&j| together[i as usize * num_experts + j as usize] += 1.0);
        }
    }
    let alone: Vec<f64> = (0..num_experts).map(|i| together[i * num_experts + i]).collect();
    together.iter().enumerate().map(|(at, count)| count / f64::max(alone[at / num_experts], 1.0)).collect()
}

/// Jensen-Shannon divergence between a domain's distribution over experts and another, both `[experts]` and summing to
/// 1, in nats: 0 if they are alike, `ln 2` if they share no expert. Ours, as a scalar for OpenMoE's radar plots.
pub fn divergence(shares: &[f64], other_shares: &[f64]) -> f64 {
    let towards_mean = |(p, q): (&f64, &f64)| if *p > 0.0 { p * (2.0 * p / (p + q)).ln() } else { 0.0 };
    let one = shares.iter().zip(other_shares).map(towards_mean);
    let other = other_shares.iter().zip(shares).map(towards_mean);
    // Rounding may take distributions that are all but alike a little below 0.
    (0.5 * one.chain(other).sum::<f64>()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_half_alike_and_apart() {
        let check = |a: [f64; 2], b: [f64; 2], expected: f64| assert!((divergence(&a, &b) - expected).abs() < 1e-9);
        check([0.3, 0.7], [0.3, 0.7], 0.0);
        check([1.0, 0.0], [0.0, 1.0], 2.0_f64.ln());
        // Mean (3/4, 1/4): ln(4/3) / 2 for the first, (ln(2/3) + ln 2) / 4 for the second.
        let expected = 0.5 * (4.0_f64 / 3.0).ln() + 0.25 * ((2.0_f64 / 3.0).ln() + 2.0_f64.ln());
        check([1.0, 0.0], [0.5, 0.5], expected);
    }

    #[test]
    fn a_key_that_decides_everything_reaches_the_bound() {
        // Key 7 always goes to experts 0 and 1; key 9 once to each of the four.
        let shares = share_by_key(&[0, 1, 1, 0, 2, 3, 0, 1], &[7, 7, 9, 9], 4, 2);
        assert_eq!(shares[&7], [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(shares[&9], [0.25; 4]);
        assert_eq!(routing_deviation(&shares[&7]), routing_deviation_bound(2, 4));
        assert_eq!(routing_deviation(&shares[&9]), 0.0);
        assert_eq!(share_by_key(&[0, 1], &[7, 8], 2, 2).len(), 0);
        // OpenMoE's 32 experts, top-2.
        assert!((routing_deviation_bound(2, 32) - 0.1210).abs() < 1e-4);
    }

    #[test]
    fn nothing_to_specialise_in() {
        assert_eq!(vocabulary_specialization(&[], &[], 2, 1), [0.0, 0.0]);
        assert_eq!(vocabulary_specialization(&[0, 1], &[7, 7], 2, 3), [0.0, 0.0]);
        // Two choices a token: whoever is chosen always has 1.
        assert_eq!(vocabulary_specialization(&[0, 1, 1, 0], &[7, 8], 3, 1), [1.0, 1.0, 0.0]);
        assert!(domain_specialization(&[], &[], 2).is_empty());
        assert_eq!(domain_specialization(&[0, 1, 1], &[4, 4, 4], 2)[&4], 0.0);
        assert_eq!(routing_deviation(&[]), 0.0);
    }

    #[test]
    fn who_is_chosen_with_whom() {
        assert_eq!(co_activation(&[0, 1, 0, 2, 1, 0], 2, 3), [1.0, 2.0 / 3.0, 1.0 / 3.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    }
}
