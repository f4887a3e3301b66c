//! How much one label says about another: mutual information, in nats, between experts and token ids, positions, …
//!
//! The plug-in estimate `Σ p(a,b) ln(p(a,b) / (p(a) p(b)))` is biased upward when labels are many and samples few; the
//! Miller-Madow correction (1955) subtracts `(m_ab - m_a - m_b + 1) / 2n` with `m` the numbers of non-empty cells. Show
//! both: without it position seems to matter in every short text.
//!
//! Given a third label, `I(a;b|c) = Σ p(a,b,c) ln(p(a,b|c) / (p(a|c) p(b|c)))`: how much context still says about the expert
//! once the token's id is known. It is a sum of four entropies, `H(a,c) + H(b,c) - H(a,b,c) - H(c)`, each of which is
//! corrected by `(m - 1) / 2n`; together `(m_abc - m_ac - m_bc + m_c) / 2n`. With many cells and few samples no correction
//! is enough: compare with shuffled labels.

use std::collections::BTreeMap;

/// Mutual information of two labels, and their entropies, in nats; all of them given a third label, where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// Plug-in estimate, at least 0.
    pub plug_in: f64,
    /// Miller-Madow estimate; can be a little below 0.
    pub corrected: f64,
    /// Entropy of the first label.
    pub entropy_a: f64,
    /// Entropy of the second label.
    pub entropy_b: f64,
}

impl Information {
    /// The plug-in estimate over the first label's entropy: 1 if the second label tells it. 0 if there is nothing to tell.
    pub fn normalised(&self) -> f64 {
        if self.entropy_a > 0.0 { self.plug_in / self.entropy_a } else { 0.0 }
    }
}

/// Of two labels per sample, `[samples]` each. All 0 for no samples.
pub fn mutual_information(a: &[u32], b: &[u32]) -> Information {
    let samples = a.len().max(1) as f64;
    let count = |labels: &mut dyn Iterator<Item = (u32, u32)>| {
        // Sorting many samples costs less than finding the cell of each.
        let mut sorted: Vec<(u32, u32)> = labels.collect();
        sorted.sort_unstable();
        let cells = sorted.chunk_by(|one, other| one == other).map(|cell| (cell[0], cell.len() as f64));
        cells.collect::<BTreeMap<(u32, u32), f64>>()
    };
    let of_a = count(&mut a.iter().map(|&a| (a, 0)));
    let of_b = count(&mut b.iter().map(|&b| (0, b)));
    let of_both = count(&mut a.iter().copied().zip(b.iter().copied()));
    let entropy = |cells: &BTreeMap<(u32, u32), f64>| -> f64 {
        cells.values().map(|count| count / samples).map(|p| -p * p.ln()).sum()
    };
    let pair = |(&(a, b), count): (&(u32, u32), &f64)| {
        count / samples * (count * samples / (of_a[&(a, 0)] * of_b[&(0, b)])).ln()
    };
    let plug_in = of_both.iter().map(pair).sum::<f64>().max(0.0);
    let excess_cells = of_both.len() as f64 - of_a.len() as f64 - of_b.len() as f64 + 1.0;
    let corrected = if a.is_empty() { 0.0 } else { plug_in - excess_cells / (2.0 * samples) };
    Information { plug_in, corrected, entropy_a: entropy(&of_a), entropy_b: entropy(&of_b) }
}

/// Of two labels per sample given a third, `[samples]` each. All 0 for no samples; with one class only of `given` it is
/// [`mutual_information`].
///
/// ```
/// use moe_router::measure::conditional_information;
///
/// // The exclusive or of two coins: each alone says nothing of it, but with one known the other says all, ln 2. Cells: 4
/// // of all three, 4 of each pair, 2 of one: corrected by (4 - 4 - 4 + 2) / 8 = -1/4.
/// let found = conditional_information(&[0, 1, 1, 0], &[0, 1, 0, 1], &[0, 0, 1, 1]);
/// assert!((found.plug_in - 2_f64.ln()).abs() < 1e-12);
/// assert!((found.corrected - (2_f64.ln() + 0.25)).abs() < 1e-12);
/// ```
pub fn conditional_information(a: &[u32], b: &[u32], given: &[u32]) -> Information {
    let samples = given.len().max(1) as f64;
    let triples = || a.iter().zip(b).zip(given).map(|((&a, &b), &given)| (a, b, given));
    let count = |labels: &mut dyn Iterator<Item = (u32, u32, u32)>| {
        let mut cells: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        labels.for_each(|label| *cells.entry(label).or_default() += 1.0);
        cells
    };
    let of_all = count(&mut triples());
    let of_a = count(&mut triples().map(|(a, _, given)| (a, 0, given)));
    let of_b = count(&mut triples().map(|(_, b, given)| (0, b, given)));
    let of_given = count(&mut triples().map(|(_, _, given)| (0, 0, given)));
    let cell = |(&(a, b, given), count): (&(u32, u32, u32), &f64)| {
        count / samples * (count * of_given[&(0, 0, given)] / (of_a[&(a, 0, given)] * of_b[&(0, b, given)])).ln()
    };
    let entropy = |cells: &BTreeMap<(u32, u32, u32), f64>| -> f64 {
        let terms =
            cells.iter().map(|(&(_, _, given), count)| -count / samples * (count / of_given[&(0, 0, given)]).ln());
        terms.sum::<f64>().max(0.0)
    };
    let plug_in = of_all.iter().map(cell).sum::<f64>().max(0.0);
    let excess_cells = of_all.len() as f64 - of_a.len() as f64 - of_b.len() as f64 + of_given.len() as f64;
    let corrected = plug_in - excess_cells / (2.0 * samples);
    Information { plug_in, corrected, entropy_a: entropy(&of_a), entropy_b: entropy(&of_b) }
}

/// `I(expert; context | token id)` with the id of the token before as context: what routing knows beyond the vocabulary.
/// Every choice of a token is a sample; tokens that begin a sequence have no context and are left out.
///
/// `experts`: `[tokens, k]`. `ids` and `sequence_of`: `[tokens]`.
pub fn context_information(experts: &[u32], ids: &[u32], sequence_of: &[u32]) -> Information {
    let k = (experts.len() / ids.len().max(1)).max(1);
    let (mut chosen, mut before, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let tokens = experts.chunks(k).zip(ids.iter().zip(sequence_of));
    for ((_, (&previous_id, previous_sequence)), (of_token, (&id, sequence))) in tokens.clone().zip(tokens.skip(1)) {
        if previous_sequence == sequence {
            chosen.extend_from_slice(of_token);
            before.extend(of_token.iter().map(|_| previous_id));
            own.extend(of_token.iter().map(|_| id));
        }
    }
    conditional_information(&chosen, &before, &own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &[u32], b: &[u32], plug_in: f64, corrected: f64, normalised: f64) {
        let found = mutual_information(a, b);
        let values = [found.plug_in, found.corrected, found.normalised()];
        let expected = [plug_in, corrected, normalised];
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn everything_nothing_and_by_accident() {
        let ln_2 = 2.0_f64.ln();
        // Four samples, two cells, two labels each: the correction is (2 - 2 - 2 + 1) / 8 = -1/8, upward.
        check(&[0, 0, 1, 1], &[5, 5, 9, 9], ln_2, ln_2 + 0.125, 1.0);
        check(&[0, 1, 0, 1], &[5, 5, 9, 9], 0.0, -0.125, 0.0);
        // Every sample has a label of its own: the plug-in estimate believes it knows all.
        check(&[0, 0, 1, 1], &[1, 2, 3, 4], ln_2, ln_2 + 0.125, 1.0);
        check(&[3, 3], &[1, 2], 0.0, 0.0, 0.0);
        check(&[], &[], 0.0, 0.0, 0.0);
    }

    #[test]
    fn given_one_class_it_is_the_plain_one() {
        let (a, b) = ([0, 1, 2, 0, 1, 1], [3, 3, 4, 4, 4, 3]);
        let (plain, given) = (mutual_information(&a, &b), conditional_information(&a, &b, &[8; 6]));
        let values = |found: Information| [found.plug_in, found.corrected, found.entropy_a, found.entropy_b];
        assert!(values(plain).iter().zip(values(given)).all(|(a, b)| (a - b).abs() < 1e-12), "{plain:?} {given:?}");
        // Given itself, a label has nothing left to tell.
        let found = conditional_information(&a, &b, &a);
        assert_eq!((found.plug_in, found.entropy_a, found.normalised()), (0.0, 0.0, 0.0));
        assert_eq!(values(conditional_information(&[], &[], &[])), [0.0; 4]);
    }

    #[test]
    fn the_token_before() {
        // Ids 5 5 6 5 | 5: the expert is 1 where the same id came before, else 0. Known: 5 after 5, 6 after 5, 5 after 6.
        let found = context_information(&[9, 1, 0, 0, 9], &[5, 5, 6, 5, 5], &[0, 0, 0, 0, 1]);
        // Given id 5, two samples that the context tells apart: 2/3 ln 2. Cells 3, 3, 3 and 2: corrected by -1 / 6.
        assert!((found.plug_in - 2.0 / 3.0 * 2.0_f64.ln()).abs() < 1e-12, "{found:?}");
        assert!((found.corrected - found.plug_in - 1.0 / 6.0).abs() < 1e-12, "{found:?}");
        assert!((found.normalised() - 1.0).abs() < 1e-12, "{found:?}");
        assert_eq!(context_information(&[0, 1], &[5], &[0]).plug_in, 0.0);
    }
}
