//! Near-duplicates: blocks of text most of whose windows of lines have been seen before.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Remembers what it has let through. Blank lines and indentation do not count.
pub struct Novelty {
    /// Lines per window: more than a boiler-plate that any two texts share, fewer than what was copied.
    window: usize,
    seen: HashSet<u64>,
}

impl Novelty {
    pub fn new(window: usize) -> Novelty {
        Novelty { window, seen: HashSet::new() }
    }

    /// Whether at most half of the windows of `block` have been seen; if so, they are seen from now on. A block of
    /// fewer lines than a window is always new.
    pub fn admit(&mut self, block: &str) -> bool {
        let lines: Vec<_> = block.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let windows: Vec<_> = lines.windows(self.window).map(hash).collect();
        let seen = windows.iter().filter(|window| self.seen.contains(window)).count();
        if 2 * seen > windows.len() {
            return false;
        }
        self.seen.extend(windows);
        true
    }
}

/// Share of the held-out text's windows of `WINDOW` bytes that stand in the training text too, word for word: how much
/// could be known by heart. It is never zero, for languages have their phrases.
pub fn shared_fraction(train: &str, valid: &str) -> f64 {
    const WINDOW: usize = 48;
    const STRIDE: usize = 8;
    let known: HashSet<u64> = train.as_bytes().windows(WINDOW).map(hash).collect();
    let windows: Vec<_> = valid.as_bytes().windows(WINDOW).step_by(STRIDE).map(hash).collect();
    let shared = windows.iter().filter(|window| known.contains(window)).count();
    shared as f64 / windows.len().max(1) as f64
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_not_new_whatever_its_indentation() {
        let mut novelty = Novelty::new(2);
        assert!(novelty.admit("a\nb\nc\nd"));
        assert!(!novelty.admit("  a\n\n  b\n  c\n  d"));
        // Windows: ab bc ce ef, of which two of four were seen: new. Then ce ef are known too.
        assert!(novelty.admit("a\nb\nc\ne\nf"));
        assert!(!novelty.admit("c\ne\nf\ng"));
        assert!(novelty.admit("a"), "shorter than a window");
    }

    #[test]
    fn shared_text_is_counted() {
        let known = "The quick brown fox jumps over the lazy dog, and then it rests.".repeat(2);
        assert_eq!(shared_fraction(&known, &known), 1.0);
        let other: String = known.chars().rev().collect();
        assert_eq!(shared_fraction(&known, &other), 0.0);
    }
}
