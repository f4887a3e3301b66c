//! Tokens as a reader sees them: byte fragments of one character are joined, and what is not text yet is shown as bytes.

use std::rc::Rc;

use moe_trace::{TokenContent, TracedToken};

use crate::browser::graphemes;
use crate::browser::letters::first_letter;

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
        (Some(TokenContent::Patch(patch)), _) => format!("patch {},{}", patch.row, patch.column),
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

/// What cannot be seen made visible: blanks as a raised dot, line breaks and tabs as arrows, and whatever is invisible or
/// would turn the text round by its number. For an element of its own that has `dir="auto"`.
pub fn visible(text: &str) -> String {
    let starts = graphemes::starts(text);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let mut shown = String::with_capacity(text.len());
    for (start, end) in starts.iter().copied().zip(ends) {
        let together = &text[start..end];
        // Joiners and variants belong to the letter or picture before them.
        let is_drawn = together.chars().any(|c| mark(c).is_none() && !is_invisible(c));
        for character in together.chars() {
            match mark(character) {
                Some(mark) => shown.push(mark),
                None if is_invisible(character) && (!is_drawn || turns(character)) => {
                    shown.push_str(&format!("⟦{:04X}⟧", character as u32));
                }
                None => shown.push(character),
            }
        }
    }
    shown
}

/// The same for the middle of a sentence, a title, a label or a cell: whatever its direction, it does not turn the words
/// and numbers around it.
pub fn inline(text: &str) -> String {
    isolated(visible(text))
}

/// Words of another program, in a notice: what cannot be seen, or would turn them round, is marked.
pub fn plain(words: &str) -> String {
    let mark = |character: char| match character {
        // But for the blanks that our own words have.
        '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => format!("⟦{:04X}⟧", character as u32),
        _ if turns(character) || character.is_control() => format!("⟦{:04X}⟧", character as u32),
        other => other.to_string(),
    };
    isolated(words.chars().map(mark).collect())
}

/// A short name for a token in a sentence: its text without surrounding blanks, or its blanks made visible.
pub fn short(text: &str) -> String {
    let trimmed = text.trim();
    inline(if trimmed.is_empty() { text } else { trimmed })
}

/// The same between quotation marks.
pub fn quoted(text: &str) -> String {
    format!("“{}”", short(text))
}

/// Within Unicode's isolate marks, where it has anything that runs from right to left.
fn isolated(text: String) -> String {
    if text.chars().any(is_of_right_to_left) { format!("\u{2068}{text}\u{2069}") } else { text }
}

/// The visible sign of a blank or control character, where it has one.
fn mark(character: char) -> Option<char> {
    Some(match character {
        ' ' => '·',
        '\n' => '↵',
        '\r' => '␍',
        '\t' => '⇥',
        '\u{a0}' => '⍽',
        // Unicode has a picture of each.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + character as u32)?,
        '\u{7f}' => '␡',
        other if other.is_control() => '␦',
        _ => return None,
    })
}

/// Does it turn what follows, or what is around it, to another direction?
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Is nothing drawn for it, or nothing but room? Unicode's default ignorable characters, its blanks, and the braille
/// pattern without a dot.
fn is_invisible(character: char) -> bool {
    matches!(character as u32,
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x1680 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2000..=0x200F
        | 0x2028..=0x202F | 0x205F..=0x206F | 0x2800 | 0x3000 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Is the text's first letter of a script written from right to left?
pub fn is_right_to_left(text: &str) -> bool {
    first_letter(text).is_some_and(is_of_right_to_left)
}

/// Is it of a script written from right to left?
fn is_of_right_to_left(character: char) -> bool {
    matches!(character as u32, 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
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
    fn what_is_invisible_is_marked_and_joined_pictures_stay() {
        let check = |text: &str, expected: &str| assert_eq!(visible(text), expected, "{text:?}");
        check("a\u{200b}b", "a⟦200B⟧b");
        check("\u{feff}The", "⟦FEFF⟧The");
        check("86\u{202e} %", "86⟦202E⟧·%");
        check("\0\u{7}\u{7f}\u{85}", "␀␇␡␦");
        check("\u{2028}\u{3000}\u{3164}\u{ad}", "⟦2028⟧⟦3000⟧⟦3164⟧⟦00AD⟧");
        check("❤\u{fe0f}👩\u{200d}💻", "❤\u{fe0f}👩\u{200d}💻");
        check("\u{200d}", "⟦200D⟧");
        check("🏴\u{e0067}\u{e007f}", "🏴\u{e0067}\u{e007f}");
    }

    /// No text, wherever it stands in a sentence, changes the order of what is around it.
    #[test]
    fn nothing_in_a_sentence_turns_it_round() {
        let letters = [
            'a', ' ', 'ש', 'م', '\u{202e}', '\u{202b}', '\u{2067}', '\u{2069}', '\u{200f}', '\u{61c}', '8', '\n',
            '\u{2029}',
        ];
        for one in letters {
            for other in letters {
                for third in letters {
                    let text: String = [one, other, third].iter().collect();
                    let shown = inline(&text);
                    let inner = shown.strip_prefix('\u{2068}').and_then(|rest| rest.strip_suffix('\u{2069}'));
                    let has_letters = text.contains(['ש', 'م']);
                    assert_eq!(inner.is_some(), has_letters, "{text:?}");
                    let inner = inner.unwrap_or(&shown);
                    assert!(
                        !inner.chars().any(|c| turns(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
                        "{text:?}"
                    );
                }
            }
        }
        assert_eq!(quoted(" שלום"), "“\u{2068}שלום\u{2069}”");
        assert_eq!(quoted("\u{202e}"), "“⟦202E⟧”");
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
