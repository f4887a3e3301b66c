//! Sums modulo a number as lines of text, `%7 5+4=2`: what follows the sign `=` can be computed, and all else is chance.

use moe_router::draws::SplitMix64;

/// So many bytes of sums modulo `modulus`.
pub fn write(seed: u64, modulus: u32, len: usize) -> Vec<u8> {
    let mut random = SplitMix64::mixed(&[seed, u64::from(modulus), 2]);
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        let mut number = || (random.u64() % u64::from(modulus)) as u32;
        let (a, b) = (number(), number());
        text.extend(format!("%{modulus} {a}+{b}={}\n", (a + b) % modulus).bytes());
    }
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_right() {
        let text = String::from_utf8(write(1, 7, 2000)).expect("digits and signs");
        let number = |text: &str| text.parse::<u32>().expect("a number");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.pop();
        assert!(lines.len() > 200);
        for line in lines {
            let (sum, c) = line.split_once('=').expect("a sum");
            let (a, b) = sum.strip_prefix("%7 ").and_then(|sum| sum.split_once('+')).expect("two numbers");
            assert_eq!((number(a) + number(b)) % 7, number(c), "{line}");
        }
    }
}
