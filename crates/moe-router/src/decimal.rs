//! Numbers as their author wrote them: 1.1, not the nearest f32 (1.10000002384…), whose product with 10 is more than 11.

/// Digits that every f32 keeps, and that a person writes at most. A number that needs more was computed, such as 1/3.
const WRITTEN_DIGITS: usize = 6;

/// How far apart an f32 and the number it stands for may be, and its shortest decimal from it: half a unit in the last
/// place each.
const ROUNDING: f64 = f32::EPSILON as f64;

/// The shortest decimal that names `number`, which is finite. It is what `Display` prints; a parser of decimals would be a
/// large part of the page for the few digits that an f32 has.
pub(crate) fn as_written(number: f32) -> f64 {
    written(number).0
}

/// `factor · count / parts` for a factor as it was written. Where the factor was computed, so that its last digits are
/// rounding, a result that is whole or a half but for that rounding is made so: a third of 12 is 4.
pub(crate) fn share(factor: f32, count: usize, parts: usize) -> f64 {
    let (factor, num_digits) = written(factor);
    let share = factor * count as f64 / parts as f64;
    let nearest = (share * 2.0).round() / 2.0;
    let is_rounded = num_digits > WRITTEN_DIGITS && (share - nearest).abs() <= ROUNDING * nearest.abs();
    if is_rounded { nearest } else { share }
}

/// The decimal and how many significant digits it has.
fn written(number: f32) -> (f64, usize) {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut digits = 0.0;
    let mut num_digits = 0;
    for digit in whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit).map(|byte| byte - b'0') {
        // Exact: no f32 has more than nine digits before its zeros.
        digits = digits * 10.0 + f64::from(digit);
        num_digits += usize::from(num_digits > 0 || digit > 0);
    }
    let trailing_zeros = text.len() - text.trim_end_matches(['0', '.']).len();
    // Both are exact up to 10²², and a quotient of exact numbers is rounded once, as a parser would.
    (digits.copysign(f64::from(number)) / 10_f64.powi(fraction.len() as i32), num_digits.saturating_sub(trailing_zeros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_reads() {
        for text in ["0", "1", "1.1", "0.7", "-2.25", "0.3333333333", "16777216", "0.000001", "123456.79", "1e10"] {
            let number: f32 = text.parse().expect("a number");
            let parsed: f64 = number.to_string().parse().expect("what was printed");
            assert_eq!(as_written(number), parsed, "{text}");
        }
        // Beyond the exact powers of ten it is within f64's own rounding.
        for number in [1e-30_f32, f32::MIN_POSITIVE, f32::MAX, 1e-45] {
            let parsed: f64 = number.to_string().parse().expect("what was printed");
            assert!((as_written(number) / parsed - 1.0).abs() < 1e-14, "{number}");
        }
    }

    #[test]
    fn shares_of_written_and_of_computed_factors() {
        assert_eq!(share(2.2, 30, 4), 16.5);
        assert_eq!(share(1.3, 30, 2), 19.5);
        assert_eq!(share(0.7, 5, 1), 3.5);
        // 0.33333334 · 12 / 4 is 1 and the rounding of a third; a sixth of 15 is a half more than 2.
        assert_eq!(share(1.0 / 3.0, 12, 4), 1.0);
        assert_eq!(share(1.0 / 6.0, 15, 1), 2.5);
        assert_eq!(share(2.0 / 3.0, 3, 1), 2.0);
        // A factor of few digits means what it says, however near a whole number it leads.
        assert!(share(1.00001, 100_001, 100_000) > 1.0);
    }
}
