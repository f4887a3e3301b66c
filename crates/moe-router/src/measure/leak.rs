//! The leak probe: does routing look at later tokens?
//!
//! A prefix is routed alone and as part of the whole; a token whose decision differs has seen the future. 0 means causal.
//! Hold the capacity at its value for the whole (as [`Router::route_with_capacity`](crate::Router::route_with_capacity)
//! does): it depends on the number of tokens, and every rule with a capacity would seem to leak.

/// Part of all tokens of all prefixes whose decision differs from the one made with the whole text at hand.
///
/// `decide(n)`: what became of each of the first `n` tokens when only they are routed, `[n]`; anything comparable.
/// `prefixes`: lengths below `num_tokens`.
pub fn leak<Decision: PartialEq>(
    num_tokens: usize,
    prefixes: impl IntoIterator<Item = usize>,
    decide: impl Fn(usize) -> Vec<Decision>,
) -> f64 {
    let whole = decide(num_tokens);
    let (mut changed, mut total) = (0, 0);
    for prefix in prefixes {
        let alone = decide(prefix);
        changed += alone.iter().zip(&whole).filter(|(alone, whole)| alone != whole).count();
        total += alone.len();
    }
    changed as f64 / total.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_back_is_allowed_looking_ahead_is_not() {
        let numbers = [3, 1, 4, 1, 5];
        let largest_so_far = |n: usize| (0..n).map(|at| numbers[..=at].iter().max()).collect::<Vec<_>>();
        assert_eq!(leak(5, [1, 2, 3], largest_so_far), 0.0);
        let largest_of_all = |n: usize| vec![numbers[..n].iter().max(); n];
        // 3 | 3, 3 | 4, 4, 4, and 5 in the end: every one of them changes.
        assert_eq!(leak(5, [1, 2, 3], largest_of_all), 1.0);
        assert_eq!(leak(3, [1, 2], largest_of_all), 1.0);
        assert_eq!(leak(2, [1], largest_of_all), 0.0);
    }
}
