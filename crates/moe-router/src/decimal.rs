//! Numbers as their author wrote them: 1.1, not the nearest f32 (1.10000002384…), whose product with 10 is more than 11.
//!
//! Decimals are read by hand: the general parser and its tables would be a large part of the page for the few digits that
//! a person writes or an f32 has.

/// Digits that every f32 keeps, and that a person writes at most. A number that needs more was computed, such as 1/3.
const WRITTEN_DIGITS: usize = 6;

/// How far apart an f32 and the number it stands for may be, and its shortest decimal from it: half a unit in the last
/// place each.
const ROUNDING: f64 = f32::EPSILON as f64;

/// A number like `0.5`, without sign or exponent; `None` for any other text. Beyond 10²² it is within f64's own rounding,
/// and for some hundreds of digits no number.
///
/// ```
/// assert_eq!(moe_router::decimal::read("0.35"), Some(0.35));
/// assert_eq!(moe_router::decimal::read("1e3"), None);
/// ```
pub fn read(text: &str) -> Option<f64> {
    let (number, places) = digits(text)?;
    Some(scaled(number, -places))
}

/// All digits of a number as one whole number, and how many of them stand behind the point.
fn digits(text: &str) -> Option<(f64, i32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
    Some((number, fraction.len() as i32))
}

/// A whole number times a power of ten. Both are exact up to 10²²; what is made of exact numbers in one step is rounded
/// once, as a parser would.
fn scaled(number: f64, power: i32) -> f64 {
    if power < 0 { number / 10_f64.powi(-power) } else { number * 10_f64.powi(power) }
}

/// A finite f32 as texts of rules have it: a number like `0.5`, with a sign or an exponent if it needs one.
///
/// ```
/// assert_eq!(moe_router::decimal::read_f32("-1.5e-3"), Some(-0.0015));
/// assert_eq!(moe_router::decimal::read_f32("inf"), None);
/// ```
pub fn read_f32(text: &str) -> Option<f32> {
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1.0, size),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (written, exponent) = match size.split_once(['e', 'E']) {
        Some((written, exponent)) => (written, exponent.parse().ok()?),
        None => (size, 0_i32),
    };
    let (number, places) = digits(written)?;
    let number = (sign * scaled(number, exponent.saturating_sub(places))) as f32;
    number.is_finite().then_some(number)
}

/// The shortest decimal that names `number`, which is finite. It is what `Display` prints.
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
    let text = number.abs().to_string();
    let value = read(&text).expect("finite numbers are printed as digits and a point");
    let significant = text.trim_end_matches(['0', '.']).trim_start_matches(['0', '.']);
    (value.copysign(f64::from(number)), significant.bytes().filter(u8::is_ascii_digit).count())
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

    #[test]
    fn numbers_of_rules_are_read_as_rust_reads_them() {
        let check = |text: &str| {
            let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
            assert_eq!(read_f32(text).map(f32::to_bits), number.map(f32::to_bits), "{text}");
        };
        for text in ["0", "-0", "+1.5", "-2.25", "1e3", "1E-3", "-1.5e+2", "1e-45", "3.4028235e38", "1e39", "0.1"] {
            check(text);
        }
        for text in ["", "-", "e3", "1e", "1e1.5", "inf", "-NaN", "--1", "1_000", "0x1", " 1"] {
            check(text);
        }
        // Every number that is printed is read as itself.
        for bits in (0..f32::INFINITY.to_bits()).step_by(10_007) {
            let number = f32::from_bits(bits);
            for text in [number.to_string(), (-number).to_string(), format!("{number:e}")] {
                check(&text);
            }
        }
    }

    #[test]
    fn decimals_are_read_as_rust_reads_them() {
        for text in
            ["0.25", "0.35", "1", "1.", ".5", "1.25", "3.999999", "0.3333333333333333", "2.0000000000000004", "007.10"]
        {
            assert_eq!(read(text).map(|number| number as f32), text.parse().ok(), "{text}");
        }
        for text in ["", ".", "-1", "1e0", "1,5", "1.2.3", "NaN", "½"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
