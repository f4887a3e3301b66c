//! Draws that anyone can repeat: SplitMix64 and what is made of its numbers.
//!
//! Routers see draws as data and never a generator: a run is a function of its seed and of nothing else. This one
//! exists so that the same seed gives the same run in the browser, in a native test and in the Python oracle: Steele,
//! Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Good enough to route with; not for secrets.
//! Uniform draws are the same to the bit everywhere. Normals and Gumbels go through the platform's `ln` and `cos`,
//! which may differ in the last bit.

/// SplitMix64: a counter, scrambled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Every seed is as good as any other.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// Draws of their own for every list of numbers. Seeds that differ by a multiple of the generator's increment give
    /// the same draws, shifted; these do not, whatever the numbers.
    pub fn mixed(numbers: &[u64]) -> SplitMix64 {
        SplitMix64::new(numbers.iter().fold(0, |seed, number| SplitMix64::new(seed ^ number).u64()))
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1): the upper 53 bits times 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.u64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// The same draw with its upper 24 bits only, so that rounding to f32 never yields 1.
    pub fn uniform_f32(&mut self) -> f32 {
        (self.u64() >> 40) as f32 * 2.0_f32.powi(-24)
    }

    /// `[n]` uniform draws in [0, 1), as [`crate::RouterInput`] takes them.
    pub fn uniforms(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.uniform_f32()).collect()
    }

    /// Standard normal by Box and Muller, `√(-2 ln(1-u₁)) · cos(2π u₂)`: two uniform draws each, the sine is not used.
    pub fn normal(&mut self) -> f64 {
        let (u1, u2) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - u1).ln()).sqrt() * (std::f64::consts::TAU * u2).cos()
    }

    /// Standard Gumbel, `-ln(-ln u)`, with `u` held within [1e-20, 1 - 1e-16].
    pub fn gumbel(&mut self) -> f64 {
        let u = self.uniform().clamp(1e-20, 1.0 - 1e-16);
        -(-u.ln()).ln()
    }

    /// A shuffled `0..n`: Fisher and Yates from the end, `j = u64 mod (i + 1)`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let j = self.u64() % (i as u64 + 1);
            order.swap(i, j as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_draws_are_not_those_of_a_neighbour_shifted() {
        const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;
        let draws = |step: u64| {
            let mut random = SplitMix64::mixed(&[1, step.wrapping_mul(INCREMENT)]);
            [random.u64(), random.u64(), random.u64()]
        };
        let all: std::collections::HashSet<u64> = (0..100).flat_map(draws).collect();
        assert_eq!(all.len(), 300);
    }

    #[test]
    fn the_test_vector_of_seed_1() {
        assert_eq!(SplitMix64::new(1).u64(), 10_451_216_379_200_822_465);
        let mut draws = SplitMix64::new(1);
        for expected in [0.5665615752, 0.7457817573, 0.9710027536, 0.4443592171] {
            assert!((draws.uniform() - expected).abs() < 1e-10);
        }
        let mut draws = SplitMix64::new(1);
        for expected in [-0.0342673218, -2.5000674934] {
            assert!((draws.normal() - expected).abs() < 1e-10);
        }
        let u: f64 = 0.5665615752;
        assert!((SplitMix64::new(1).gumbel() + (-u.ln()).ln()).abs() < 1e-9);
    }

    #[test]
    fn f32_draws_are_the_f64_draws_cut_short() {
        let (mut short, mut long) = (SplitMix64::new(7), SplitMix64::new(7));
        for draw in short.uniforms(1000) {
            let full = long.uniform();
            assert!(draw < 1.0 && f64::from(draw) <= full && full - f64::from(draw) < 6e-8);
        }
    }

    #[test]
    fn a_permutation_names_everyone_once() {
        // j = u64 mod (i + 1) for i = 1 alone: the first number of seed 1 is odd, so 1 stays where it is.
        assert_eq!(SplitMix64::new(1).permutation(2), [0, 1]);
        let mut order = SplitMix64::new(3).permutation(100);
        assert_ne!(order[..5], [0, 1, 2, 3, 4]);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..100));
    }
}
