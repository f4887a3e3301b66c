//! How numbers are written: as long as they are true, and no longer.

/// `61 %`, and `0.4 %` where whole percents would say nothing.
pub fn percent(share: f32) -> String {
    // Narrow and unbreakable, as a percent sign wants it.
    const SPACE: char = '\u{202f}';
    let percent = f64::from(share) * 100.0;
    if percent > 99.95 && percent < 100.0 {
        format!(">{SPACE}99.9{SPACE}%")
    } else if percent > 99.5 && percent < 100.0 {
        format!("{percent:.1}{SPACE}%")
    } else if percent >= 9.95 || percent == 0.0 {
        format!("{percent:.0}{SPACE}%")
    } else if percent >= 0.05 {
        format!("{percent:.1}{SPACE}%")
    } else {
        format!("<{SPACE}0.1{SPACE}%")
    }
}

/// `×0.61`, and `×0.003` where two digits would say zero.
pub fn weight(weight: f32) -> String {
    match weight.abs() {
        0.0 => "×0".to_owned(),
        size if size >= 0.0995 => format!("×{weight:.2}"),
        size if size >= 0.0005 => format!("×{weight:.3}"),
        _ => "×<0.001".to_owned(),
    }
}

/// `+0.012`; `0.000` for what rounds to nothing, from either side.
pub fn difference(nats: f64) -> String {
    let written = format!("{nats:+.3}");
    if written.trim_start_matches(['+', '-']) == "0.000" { "0.000".to_owned() } else { written.replace('-', "−") }
}

/// `1.427`, `0.0892`, `−0.26`: four digits that count, without noughts at the end; with a power of ten where it would be
/// long.
pub fn digits(value: f64) -> String {
    let size = value.abs();
    let written = if size == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e5).contains(&size) {
        // So many digits stand before the point; below 1 so many noughts behind it.
        let before = size.log10().floor() as i32 + 1;
        let written = format!("{value:.*}", (4 - before).clamp(0, 7) as usize);
        if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.').to_owned() } else { written }
    } else {
        let written = format!("{value:.2e}");
        let (mantissa, power) = written.split_once('e').unwrap_or((&written, "0"));
        let raised = |digit: char| match digit {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            _ => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
        };
        format!("{mantissa}·10{}", power.chars().map(raised).collect::<String>())
    };
    written.replace('-', "−")
}

/// `1 request`, `3 requests`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `4.1 MB`, in decimal units.
pub fn bytes(bytes: u32) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.0} kB", f64::from(bytes) / 1e3),
        _ => format!("{:.1} MB", f64::from(bytes) / 1e6),
    }
}

/// `3.1 s`, and `0.04 s` for what is over in a moment.
pub fn seconds(ms: f32) -> String {
    match ms / 1000.0 {
        short if short < 0.0995 => format!("{short:.2} s"),
        long => format!("{long:.1} s"),
    }
}

/// `25 s`, `3 min`.
pub fn duration(seconds: u32) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

/// `3.6 M`.
pub fn parameters(number: u32) -> String {
    match number {
        0..1_000_000 => format!("{:.0} k", f64::from(number) / 1e3),
        _ => format!("{:.1} M", f64::from(number) / 1e6),
    }
}

/// `9.83 M tokens`, with three digits: budgets of a tenth are told apart.
pub fn training_tokens(number: u32) -> String {
    match number {
        0..1_000_000 => say!("{number} k tokens", number = format_args!("{:.0}", f64::from(number) / 1e3)),
        1_000_000..100_000_000 => say!("{number} M tokens", number = format_args!("{:.2}", f64::from(number) / 1e6)),
        _ => say!("{number} M tokens", number = format_args!("{:.0}", f64::from(number) / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_are_true() {
        let check = |share: f32, expected: &str| assert_eq!(percent(share).replace('\u{202f}', " "), expected);
        check(0.614, "61 %");
        check(1.0, "100 %");
        check(0.994, "99 %");
        check(0.9962, "99.6 %");
        check(0.9997, "> 99.9 %");
        check(0.0, "0 %");
        check(0.0431, "4.3 %");
        check(0.0995, "10 %");
        check(0.0001, "< 0.1 %");
        let weights = [0.614, 0.1, 0.0342, 0.003, 0.0001, 0.0].map(weight);
        assert_eq!(weights, ["×0.61", "×0.10", "×0.034", "×0.003", "×<0.001", "×0"]);
        assert_eq!([0.0124, -0.0124, 0.0004, -0.0004].map(difference), ["+0.012", "−0.012", "0.000", "0.000"]);
        assert_eq!(bytes(4_123_456), "4.1 MB");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_345), "12 kB");
        assert_eq!(parameters(3_600_000), "3.6 M");
        assert_eq!([3100.0, 99.0, 43.0, 99.6].map(seconds), ["3.1 s", "0.10 s", "0.04 s", "0.1 s"]);
        assert_eq!(count(1, "token", "tokens"), "1 token");
        let written = [1.0, 1.42728, 0.08921, -0.2555, 145.56, 12_345.6, 0.0, 2.0, 3.4e38, 1.5e-5].map(digits);
        assert_eq!(written, ["1", "1.427", "0.08921", "−0.2555", "145.6", "12346", "0", "2", "3.40·10³⁸", "1.50·10⁻⁵"]);
        let budgets = [983_040, 9_830_400, 491_520_000].map(training_tokens);
        assert_eq!(budgets, ["983 k tokens", "9.83 M tokens", "492 M tokens"]);
    }
}
