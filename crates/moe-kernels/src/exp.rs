//! `e^x` without a branch or a table, so that the compiler may compute it for several numbers at once, which it may not
//! with the one of the standard library.

use std::f32::consts::LOG2_E;

/// ln 2 in two parts. The first has nine bits, so that its products with whole numbers below 2^15 are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Added to a number of at most 22 bits, it leaves it rounded to a whole one in the last bits.
const ROUNDER: f32 = 12_582_912.0;

/// Below this e^x has fewer than 24 bits.
const LOWEST: f32 = -87.336;

/// Above this 2^n, as it is computed here, has no room for its exponent.
const HIGHEST: f32 = 88.376;

/// e^x, off by at most 2e-7 of it. Below −87.3 it is 0, above 88.3 infinite: a little earlier than an f32 must be.
///
/// With n the whole number next to x / ln 2, e^x is 2^n e^r, and r is at most ln 2 / 2 in size: the power series up to
/// r^7 / 7! leaves out less than 6e-9. The same bits on every machine, for one number or for many.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let rounded = x * LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let series = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let series = 1.0 / 120.0 + r * series;
    let series = 1.0 / 24.0 + r * series;
    let series = 1.0 / 6.0 + r * series;
    let series = 0.5 + r * series;
    let series = 1.0 + r * series;
    let series = 1.0 + r * series;
    // The last bits of `rounded` are n: moved up, it is added to the exponent of 1.
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    let within = if x > HIGHEST { f32::INFINITY } else { series * power };
    if x < LOWEST { 0.0 } else { within }
}

/// The largest of some numbers; of none, negative infinity. In eight lanes, and by comparing: `f32::max` may be a call,
/// which takes as long as the rest of a loop.
pub fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [f32::NEG_INFINITY; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}

/// The sum of `e^(value − largest)` over the values, in 64 bits. A function by itself, in loops as the compiler makes
/// vectors of them: written as one, or put into code that is compiled for size, it takes four times as long.
#[inline(never)]
pub fn sum_of_exp(values: &[f32], largest: f32) -> f64 {
    let mut buffer = [0.0; 256];
    let mut lanes = [0.0f64; 8];
    for values in values.chunks(buffer.len()) {
        let powers = &mut buffer[..values.len()];
        for (power, value) in powers.iter_mut().zip(values) {
            *power = exp(value - largest);
        }
        let (chunks, rest) = powers.as_chunks::<8>();
        for chunk in chunks {
            for (lane, &power) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(power);
            }
        }
        lanes[0] += rest.iter().copied().map(f64::from).sum::<f64>();
    }
    lanes.iter().sum()
}

/// Calls `add` with `e^(value − largest)` for each value, in order.
#[inline]
pub fn each_exp(values: &[f32], largest: f32, mut add: impl FnMut(f32)) {
    let mut buffer = [0.0; 64];
    for values in values.chunks(buffer.len()) {
        let powers = &mut buffer[..values.len()];
        for (power, value) in powers.iter_mut().zip(values) {
            *power = exp(value - largest);
        }
        powers.iter().for_each(|&power| add(power));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_by_two_ten_millionths_at_most() {
        let mut worst = 0.0f64;
        // Every step of 1/8192, and numbers next to the places where n changes.
        let steps = (-87 * 8192..88 * 8192).map(|step| step as f32 / 8192.0);
        let ties = (-125..127).flat_map(|n| {
            let tie = (n as f32 + 0.5) * std::f32::consts::LN_2;
            [tie, f32::from_bits(tie.to_bits() + 1), f32::from_bits(tie.to_bits() - 1)]
        });
        for x in steps.chain(ties) {
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - expected).abs() / expected);
        }
        assert!(worst < 2e-7, "{worst:e}");
    }

    #[test]
    fn its_ends() {
        assert_eq!((exp(0.0), exp(-0.0)), (1.0, 1.0));
        assert_eq!((exp(f32::NEG_INFINITY), exp(-1e30), exp(-88.0)), (0.0, 0.0, 0.0));
        assert_eq!((exp(f32::INFINITY), exp(1e30), exp(89.0)), (f32::INFINITY, f32::INFINITY, f32::INFINITY));
        assert!(exp(-87.3) > 0.0 && exp(88.3).is_finite());
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn the_largest_is_a_number() {
        assert_eq!(largest(&[-3.0, f32::NAN, 7.5, f32::NEG_INFINITY, 2.0]), 7.5);
        for at in 0..21 {
            let mut values = [-2.0; 21];
            values[at] = -1.0;
            assert_eq!(largest(&values), -1.0);
        }
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn a_sum_in_lanes_leaves_none_out() {
        for len in [0, 1, 7, 8, 9, 256, 700] {
            let values: Vec<f32> = (0..len).map(|at| (at % 37) as f32 / 7.0).collect();
            let expected: f64 = values.iter().map(|value| f64::from(exp(value - 5.0))).sum();
            assert!((sum_of_exp(&values, 5.0) - expected).abs() <= 1e-12 * expected, "{len}");
        }
    }

    #[test]
    fn a_sum_is_of_one_power_after_the_other() {
        let values: Vec<f32> = (0..150).map(|at| (at % 37) as f32 / 7.0).collect();
        let (mut found, mut expected) = (0.0f32, 0.0f32);
        each_exp(&values, 5.0, |power| found += power);
        values.iter().for_each(|value| expected += exp(value - 5.0));
        assert_eq!(found, expected);
    }
}
