//! Tokens as a reader sees them: byte fragments of one character are joined, and what is no text yet is shown as bytes.

use moe_trace::{TokenContent, TracedToken};

/// What one token shows. Tokens that together form one visible character are a head, which shows it, and its tails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text that this token shows; empty for a tail. Never contains U+FFFD that the bytes do not spell.
    pub text: String,
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
    /// Bytes that are no character, or not yet one: shown as hexadecimal numbers.
    Bytes,
}

/// What is shown of a token that is no text, or whose text was not recorded; `None` of others.
pub fn of_no_text(token: &TracedToken) -> Option<Piece> {
    let text = match (&token.content, token.id) {
        (Some(TokenContent::Bytes(_)), _) => return None,
        (Some(TokenContent::Patch(patch)), _) => format!("patch {},{}", patch.row, patch.column),
        (None, Some(id)) => format!("#{id}"),
        (None, None) => "?".to_owned(),
    };
    Some(Piece { text, part: Part::Bytes })
}

/// One piece per token, in order.
pub fn pieces<B: AsRef<[u8]>>(tokens: &[B]) -> Vec<Piece> {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.as_ref().iter().copied()).collect();
    let mut owner = Vec::with_capacity(bytes.len());
    for (token, token_bytes) in tokens.iter().enumerate() {
        owner.extend(std::iter::repeat_n(token, token_bytes.as_ref().len()));
    }
    let mut pieces = vec![Piece { text: String::new(), part: Part::Whole }; tokens.len()];
    // The token that shows the character before, so that a combining mark can join it.
    let mut head: Option<usize> = None;
    let mut joins_next = false;
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let first = owner[at];
            let last = owner[at + character.len_utf8() - 1];
            let shown_by = match head {
                Some(head) if joins_next || extends(character) => head,
                _ => first,
            };
            pieces[shown_by].text.push(character);
            for tail in shown_by + 1..=last {
                // A token that shows text of its own is no tail, even if it begins with the end of another character.
                if pieces[tail].text.is_empty() {
                    pieces[tail].part = Part::Tail;
                    if pieces[shown_by].part == Part::Whole {
                        pieces[shown_by].part = Part::Head;
                    }
                }
            }
            head = Some(shown_by);
            joins_next = character == ZERO_WIDTH_JOINER;
            at += character.len_utf8();
        }
        for &byte in chunk.invalid() {
            let piece = &mut pieces[owner[at]];
            if !piece.text.is_empty() {
                piece.text.push(' ');
            }
            piece.text.push_str(&format!("{byte:02X}"));
            piece.part = Part::Bytes;
            head = None;
            at += 1;
        }
    }
    // A tail that later got text of its own stands by itself.
    for piece in &mut pieces {
        if piece.part == Part::Tail && !piece.text.is_empty() {
            piece.part = Part::Whole;
        }
    }
    pieces
}

/// White space made visible: a leading blank as a raised dot, line breaks and tabs as arrows.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            ' ' => '·',
            '\n' => '↵',
            '\r' => '␍',
            '\t' => '⇥',
            '\u{a0}' => '⍽',
            other if other.is_control() => '␦',
            other => other,
        })
        .collect()
}

/// A short name for a token in a sentence: its text without surrounding blanks, or its blanks made visible.
pub fn quoted(text: &str) -> String {
    let trimmed = text.trim();
    if trimmed.is_empty() { format!("“{}”", visible(text)) } else { format!("“{trimmed}”") }
}

/// Is the text's first letter of a script written from right to left?
pub fn is_right_to_left(text: &str) -> bool {
    let first_letter = text.chars().find(|character| character.is_alphabetic());
    first_letter.is_some_and(|letter| {
        matches!(letter as u32, 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFF | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
    })
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Is this character drawn on, or as part of, the one before it? The common cases of Unicode's grapheme extenders.
fn extends(character: char) -> bool {
    matches!(character as u32,
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1..=0x05C2 | 0x05C4..=0x05C5 | 0x05C7
        | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7..=0x06E8
        | 0x06EA..=0x06ED | 0x0900..=0x0903 | 0x093A..=0x093C | 0x093E..=0x094F | 0x0951..=0x0957 | 0x0E31
        | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x200D | 0x20D0..=0x20FF
        | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0x1F3FB..=0x1F3FF | 0xE0020..=0xE007F | 0xE0100..=0xE01EF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&[u8]], expected: &[(&str, Part)]) {
        let pieces = pieces(tokens);
        let found: Vec<(&str, Part)> = pieces.iter().map(|piece| (piece.text.as_str(), piece.part)).collect();
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

    #[test]
    fn right_to_left_text_is_recognised_by_its_first_letter() {
        assert!(is_right_to_left("123 שלום"));
        assert!(is_right_to_left("مرحبا"));
        assert!(!is_right_to_left("a שלום"));
        assert!(!is_right_to_left(" …"));
    }

    #[test]
    fn blanks_are_visible_and_quotes_are_short() {
        assert_eq!(visible(" the\n"), "·the↵");
        assert_eq!(quoted(" the"), "“the”");
        assert_eq!(quoted("\n"), "“↵”");
    }
}
