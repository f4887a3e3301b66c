//! The ramp of luminance that stands for probability; the style sheet has a colour for each step (`--c0` to `--c9`).

/// Steps of the ramp.
pub const RAMP: usize = 10;

/// The step that stands for a probability.
pub fn ramp(probability: f32) -> usize {
    ((probability * RAMP as f32) as usize).min(RAMP - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_covers_all_probabilities() {
        let steps: Vec<usize> = [0.0, 0.05, 0.1, 0.55, 0.999, 1.0].map(ramp).to_vec();
        assert_eq!(steps, [0, 0, 1, 5, 9, 9]);
    }
}
