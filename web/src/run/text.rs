//! Tokens as a reader sees them: byte fragments of one character are joined, and what is not text yet is shown as bytes.

mod shown;

use std::rc::Rc;

use moe_trace::{TokenContent, TracedToken};

use crate::browser::graphemes;
pub use shown::{inline, is_right_to_left, plain, quoted, short, visible};

/// What one token shows. Tokens that together form one visible character are a head, which shows it, and its tails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text that this token shows; empty for a tail. Never contains U+FFFD that the bytes do not spell.
    pub text: Rc<str>,
    pub part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Stands by itself.
    Whole,
    /// Shows a character whose bytes go on in the following tails.
    Head,
    /// Continues the character that an earlier token shows.
    Tail,
    /// Bytes that are not a character, or not yet one: shown as hexadecimal numbers.
    Bytes,
}

/// What is shown of a token that is not text, or whose text was not recorded; `None` of others.
pub fn of_no_text(token: &TracedToken) -> Option<Piece> {
    let text = match (&token.content, token.id) {
        (Some(TokenContent::Bytes(_)), _) => return None,
        (Some(TokenContent::Patch(patch)), _) => say!("patch {row},{column}", row = patch.row, column = patch.column),
        (None, Some(id)) => format!("#{id}"),
        (None, None) => "?".to_owned(),
    };
    Some(Piece { text: text.into(), part: Part::Bytes })
}

/// One piece per token, in order.
pub fn pieces<B: AsRef<[u8]>>(tokens: &[B]) -> Vec<Piece> {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.as_ref().iter().copied()).collect();
    let mut owner = Vec::with_capacity(bytes.len());
    for (token, token_bytes) in tokens.iter().enumerate() {
        owner.extend(std::iter::repeat_n(token, token_bytes.as_ref().len()));
    }
    let mut texts = vec![String::new(); tokens.len()];
    let mut parts = vec![Part::Whole; tokens.len()];
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let starts = graphemes::starts(text);
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        for (start, end) in starts.iter().copied().zip(ends) {
            // The token that a character begins in shows all of it.
            let (shown_by, last) = (owner[at + start], owner[at + end - 1]);
            texts[shown_by].push_str(&text[start..end]);
            for tail in shown_by + 1..=last {
                // A token that shows text of its own is not a tail, even if it begins with the end of another character.
                parts[tail] = Part::Tail;
                if parts[shown_by] == Part::Whole {
                    parts[shown_by] = Part::Head;
                }
            }
        }
        at += text.len();
        for &byte in chunk.invalid() {
            let text = &mut texts[owner[at]];
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&format!("{byte:02X}"));
            parts[owner[at]] = Part::Bytes;
            at += 1;
        }
    }
    let piece = |(text, part): (String, Part)| {
        // A tail that later got text of its own stands by itself.
        let stands_alone = part == Part::Tail && !text.is_empty();
        Piece { text: text.into(), part: if stands_alone { Part::Whole } else { part } }
    };
    texts.into_iter().zip(parts).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&[u8]], expected: &[(&str, Part)]) {
        let pieces = pieces(tokens);
        let found: Vec<(&str, Part)> = pieces.iter().map(|piece| (&*piece.text, piece.part)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn plain_words_stand_by_themselves() {
        check(&[b"The", b" cat", b""], &[("The", Part::Whole), (" cat", Part::Whole), ("", Part::Whole)]);
    }

    #[test]
    fn an_emoji_split_over_tokens_is_shown_once() {
        let smile = "🙂".as_bytes();
        let expected = [("a", Part::Whole), ("🙂", Part::Head), ("", Part::Tail), ("!", Part::Whole)];
        check(&[b"a", &smile[..2], &smile[2..], b"!"], &expected);
        // The last byte shares its token with the following letter.
        check(&[&smile[..3], &[smile[3], b'x']], &[("🙂", Part::Head), ("x", Part::Whole)]);
        // One token a byte.
        let single: Vec<&[u8]> = smile.chunks(1).collect();
        check(&single, &[("🙂", Part::Head), ("", Part::Tail), ("", Part::Tail), ("", Part::Tail)]);
    }

    #[test]
    fn joined_emoji_and_combining_marks_stay_together() {
        // Woman, zero-width joiner, laptop; then e with an accent of its own token.
        check(
            &["👩".as_bytes(), "\u{200d}".as_bytes(), "💻".as_bytes(), b"e", "\u{301}".as_bytes()],
            &[
                ("👩\u{200d}💻", Part::Head),
                ("", Part::Tail),
                ("", Part::Tail),
                ("e\u{301}", Part::Head),
                ("", Part::Tail),
            ],
        );
    }

    /// What a reader sees as one character, however its bytes are dealt out among tokens.
    #[test]
    fn no_character_is_torn_apart() {
        let whole = [
            "🇩🇪",                                                       // a flag is two letters
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", // England's has tags
            "1\u{fe0f}\u{20e3}",                                        // a keycap
            "\u{1112}\u{1161}\u{11ab}",                                 // jamo of one syllable
            "नि",                                                       // a vowel that is drawn before its consonant
            "க்ஷ".split_at(6).0,                                         // a dead consonant
            "กำ",                                                       // Thai, with a vowel that is half a letter
            "e\u{301}\u{323}",
            "👨\u{200d}👩\u{200d}👧",
            "👍🏽",
            "\r\n",
        ];
        for character in whole {
            assert_eq!(graphemes::starts(character), [0], "{character:?}");
            let bytes = character.as_bytes();
            for cut in 1..bytes.len() {
                let shown = pieces(&[b"a", &bytes[..cut], &bytes[cut..], b"b"]);
                let texts: Vec<&str> = shown.iter().map(|piece| &*piece.text).collect();
                let expected = ["a", character, "", "b"];
                // The first letter stays alone: none of these extends what is before it.
                assert_eq!(texts, expected, "{character:?} cut at {cut}");
                assert_eq!((shown[1].part, shown[2].part), (Part::Head, Part::Tail));
            }
        }
        // Two flags are two, in whatever tokens.
        let flags = "🇩🇪🇫🇷".as_bytes();
        let shown = pieces(&[&flags[..5], &flags[5..11], &flags[11..]]);
        assert_eq!(shown.iter().map(|piece| &*piece.text).collect::<Vec<_>>(), ["🇩🇪", "🇫🇷", ""]);
    }

    #[test]
    fn tokens_without_text_show_what_is_known_of_them() {
        use moe_trace::{Patch, TokenId};
        let check = |id: Option<u32>, content: Option<TokenContent>, expected: Option<&str>| {
            let token = TracedToken { id: id.map(TokenId), content, loss: None, accepted: None };
            assert_eq!(of_no_text(&token).map(|piece| piece.text).as_deref(), expected);
        };
        check(Some(7), Some(TokenContent::Bytes(b"a".to_vec())), None);
        check(Some(7), None, Some("#7"));
        check(None, None, Some("?"));
        check(None, Some(TokenContent::Patch(Patch { image: 0, row: 1, column: 2 })), Some("patch 1,2"));
    }

    #[test]
    fn unfinished_and_broken_characters_are_bytes_not_boxes() {
        check(&[b"a", &[0xF0, 0x9F]], &[("a", Part::Whole), ("F0 9F", Part::Bytes)]);
        check(&[&[0xFF], b"b"], &[("FF", Part::Bytes), ("b", Part::Whole)]);
        let any_replacement = pieces(&[&[0xF0, 0x9F][..], &[0x99]]).iter().any(|piece| piece.text.contains('\u{fffd}'));
        assert!(!any_replacement);
    }
}
