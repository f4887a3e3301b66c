//! Temporal locality (Mixtral, Jiang et al. 2024, arXiv:2401.04088, section 5, table 5): do neighbours share experts?
//!
//! By chance neighbours have the same first choice with probability `1/E`, and at least one expert in common with
//! `1 - C(E-k, k) / C(E, k)`: 12.5 % and 46 % for 2 of 8.

/// Repetitions among neighbouring tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeats {
    /// Neighbours in the same sequence.
    pub pairs: usize,
    /// Part of them with the same first choice.
    pub first: f64,
    /// Part of them with at least one expert in common.
    pub any: f64,
}

/// `experts`: `[tokens, k]`, `k >= 1`. `sequence_of`: `[tokens]`; the end of one sequence and the start of the next are
/// no neighbours.
pub fn consecutive_repeats(experts: &[u32], k: usize, sequence_of: &[u32]) -> Repeats {
    let (mut pairs, mut first, mut any) = (0, 0, 0);
    let tokens: Vec<&[u32]> = experts.chunks(k).collect();
    for (tokens, sequences) in tokens.windows(2).zip(sequence_of.windows(2)) {
        if sequences[0] == sequences[1] {
            pairs += 1;
            first += usize::from(tokens[0][0] == tokens[1][0]);
            any += usize::from(tokens[0].iter().any(|expert| tokens[1].contains(expert)));
        }
    }
    let part = |count: usize| count as f64 / pairs.max(1) as f64;
    Repeats { pairs, first: part(first), any: part(any) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_by_hand() {
        // Tokens (0 1) (0 2) (2 0) | (2 0): two pairs within the first sequence.
        let found = consecutive_repeats(&[0, 1, 0, 2, 2, 0, 2, 0], 2, &[0, 0, 0, 1]);
        assert_eq!(found, Repeats { pairs: 2, first: 0.5, any: 1.0 });
    }
}
