//! How much one label says about another: mutual information, in nats, between experts and token ids, positions, …
//!
//! The plug-in estimate `Σ p(a,b) ln(p(a,b) / (p(a) p(b)))` is biased upward when labels are many and samples few; the
//! Miller-Madow correction (1955) subtracts `(m_ab - m_a - m_b + 1) / 2n` with `m` the numbers of non-empty cells. Show
//! both: without it position seems to matter in every short text.

use std::collections::BTreeMap;

/// Mutual information of two labels, and their entropies, in nats.
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
        let mut cells: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        labels.for_each(|label| *cells.entry(label).or_default() += 1.0);
        cells
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
}
