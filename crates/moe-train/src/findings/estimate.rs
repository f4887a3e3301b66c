//! A number measured on many windows, how sure it is, and which way it points.

use serde::Serialize;

/// A mean over windows of text and its standard error. Windows are independent of each other, tokens within one are
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub mean: f64,
    pub standard_error: f64,
}

/// Which way a difference points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
    /// Smaller than the threshold, or not told from nothing.
    Flat,
}

impl Estimate {
    pub fn of(samples: &[f64]) -> Estimate {
        let count = samples.len().max(1) as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
        Estimate { mean, standard_error: (squares / (count - 1.0).max(1.0) / count).sqrt() }
    }

    /// Up or down only beyond `threshold` and beyond twice the standard error.
    pub fn direction(&self, threshold: f64) -> Direction {
        if self.mean.abs() <= threshold.max(2.0 * self.standard_error) {
            Direction::Flat
        } else if self.mean > 0.0 {
            Direction::Up
        } else {
            Direction::Down
        }
    }

    /// In percentage points, with twice the standard error.
    pub fn in_points(&self) -> String {
        format!("{:+.1} ± {:.1} points", 100.0 * self.mean, 200.0 * self.standard_error)
    }
}

/// Mean of the neighbours at most `reach` away, of fewer at the ends. Same length as `values`.
pub fn moving_mean(values: &[f64], reach: usize) -> Vec<f64> {
    let mean_around = |at: usize| {
        let near = &values[at.saturating_sub(reach)..(at + reach + 1).min(values.len())];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..values.len()).map(mean_around).collect()
}

/// 0 for nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_needs_size_and_certainty() {
        let check = |mean, standard_error, expected| {
            assert_eq!(Estimate { mean, standard_error }.direction(0.01), expected);
        };
        check(0.05, 0.01, Direction::Up);
        check(-0.05, 0.01, Direction::Down);
        check(0.05, 0.03, Direction::Flat);
        check(0.005, 0.0001, Direction::Flat);
        check(0.0, 0.0, Direction::Flat);
    }

    #[test]
    fn mean_and_standard_error_by_hand() {
        // Mean 3; squares 4 + 0 + 4 = 8, over 2 is a variance of 4; of the mean, 4 / 3.
        let found = Estimate::of(&[1.0, 3.0, 5.0]);
        assert!((found.mean - 3.0).abs() < 1e-12 && (found.standard_error - (4.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Estimate::of(&[2.0]), Estimate { mean: 2.0, standard_error: 0.0 });
        assert_eq!(Estimate::of(&[]), Estimate { mean: 0.0, standard_error: 0.0 });
        assert_eq!(Estimate { mean: 0.031, standard_error: 0.004 }.in_points(), "+3.1 ± 0.8 points");
    }

    #[test]
    fn a_moving_mean_has_fewer_neighbours_at_the_ends() {
        assert_eq!(moving_mean(&[0.0, 3.0, 6.0, 0.0], 1), [1.5, 3.0, 3.0, 3.0]);
        assert_eq!(moving_mean(&[1.0, 2.0], 0), [1.0, 2.0]);
        assert!(moving_mean(&[], 3).is_empty());
    }
}
