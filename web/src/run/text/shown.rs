//! Text of any kind in the middle of a page: what cannot be seen is marked, and nothing turns round what is around it.

use crate::browser::graphemes;
use crate::browser::letters::first_letter;

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
