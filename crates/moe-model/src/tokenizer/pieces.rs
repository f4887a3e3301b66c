//! Texts cut into pieces, within which tokens are merged: the pattern of our tokenizers, by hand.

use super::classes::{Class, class, is_of_words};

/// GPT-2's pieces, but digits stand alone, without the blank before them: a number is the same tokens wherever it stands.
/// A run of blanks leaves its last one to the word that follows, so the indentation of code is one piece.
///
/// `pieces` cuts as this does, without the library of regular expressions, which weighs more than the model's kernels.
pub const PATTERN: &str = r"'(?:s|t|re|ve|m|ll|d)\b| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// What stands after an apostrophe and begins no longer word.
const ENDINGS: [&str; 7] = ["s", "t", "re", "ve", "m", "ll", "d"];

/// The pieces of a text, in order; joined they are the text.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(first_len(rest)?);
        rest = after;
        Some(piece)
    })
}

/// Bytes of the first piece; nothing if there is no text.
fn first_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if let Some(len) = contraction_len(text) {
        return Some(len);
    }
    let after_blank = text.strip_prefix(' ').unwrap_or(text);
    let blank_len = text.len() - after_blank.len();
    Some(match after_blank.chars().next().map(class) {
        Some(kind @ (Class::Letter | Class::Other)) => blank_len + run_len(after_blank, kind),
        Some(Class::Number) if blank_len == 0 => first.len_utf8(),
        _ => spaces_len(text),
    })
}

/// Of `'s`, `'ll` and their like.
fn contraction_len(text: &str) -> Option<usize> {
    let after = text.strip_prefix('\'')?;
    let ends =
        |ending: &&str| after.strip_prefix(*ending).is_some_and(|rest| !rest.chars().next().is_some_and(is_of_words));
    ENDINGS.into_iter().find(ends).map(|ending| 1 + ending.len())
}

/// All that the text begins with, but its last one if it has several and something follows.
fn spaces_len(text: &str) -> usize {
    let all = run_len(text, Class::Space);
    let last = text[..all].chars().next_back().map_or(0, char::len_utf8);
    if all == text.len() || all == last { all } else { all - last }
}

/// Bytes of the characters of a kind that the text begins with.
fn run_len(text: &str, kind: Class) -> usize {
    text.find(|character| class(character) != kind).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::utils::SysRegex;

    use super::*;

    fn check(text: &str) {
        let pattern = SysRegex::new(PATTERN).expect("a pattern");
        let expected: Vec<&str> = pattern.find_iter(text).map(|(from, to)| &text[from..to]).collect();
        assert_eq!(pieces(text).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn apostrophes_blanks_and_digits() {
        for text in
            ["", " ", "   ", "\n", "it's 12  + 345", "'s'sa 'll'l 'd'e\u{301} 're_ 've1 'm½", "a \n b\u{a0}\u{a0}c"]
        {
            check(text);
        }
        assert_eq!(
            pieces("I'll say  121!\n  ").collect::<Vec<_>>(),
            ["I", "'ll", " say", " ", " ", "1", "2", "1", "!", "\n  "]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_as_the_pattern_cuts_it(text in any::<String>()) {
            check(&text);
        }

        /// Of characters that meet in the pattern.
        #[test]
        fn what_it_looks_at_in_any_order(text in "['stremvld \u{a0}\n\r\t0½Ⅷ٣é日\u{301}_.!\u{200d}🙂]{0,24}") {
            check(&text);
        }
    }
}
