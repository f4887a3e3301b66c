//! Which characters are letters or digits, and their other case: by the browser's own tables, which cost no download.
//! Natively, for the first paint and for tests, by those of Rust, which follow the same standard.

/// The first letter of a text.
pub fn first_letter(text: &str) -> Option<char> {
    // Of the commonest letters no tables are needed.
    match text.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => Some(first),
        _ => tables::first_letter(text),
    }
}

/// Is it a letter of any script?
pub fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { tables::is_letter(character) }
}

/// The text in lower case.
#[cfg(feature = "page")]
pub fn in_lower_case(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { tables::in_lower_case(text) }
}

/// The text with a capital at its beginning.
#[cfg(feature = "page")]
pub fn with_capital(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let first = if first.is_ascii() { first.to_ascii_uppercase() } else { tables::in_upper_case(first) };
    first + rest
}

/// Is it a letter or a digit of any script?
pub fn is_letter_or_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphanumeric() } else { tables::is_letter_or_digit(character) }
}

#[cfg(not(target_arch = "wasm32"))]
mod tables {
    pub fn first_letter(text: &str) -> Option<char> {
        text.chars().find(|character| character.is_alphabetic())
    }

    pub fn is_letter_or_digit(character: char) -> bool {
        character.is_alphanumeric()
    }

    pub fn is_letter(character: char) -> bool {
        character.is_alphabetic()
    }

    #[cfg(feature = "page")]
    pub fn in_lower_case(text: &str) -> String {
        text.to_lowercase()
    }

    #[cfg(feature = "page")]
    pub fn in_upper_case(text: &str) -> String {
        text.to_uppercase()
    }
}

#[cfg(target_arch = "wasm32")]
mod tables {
    #[cfg(feature = "page")]
    use js_sys::JsString;
    use js_sys::{Reflect, RegExp};
    use wasm_bindgen::JsValue;

    pub fn first_letter(text: &str) -> Option<char> {
        let found = RegExp::new(r"\p{Alphabetic}", "u").exec(text)?;
        Reflect::get(&found, &JsValue::from(0)).ok()?.as_string()?.chars().next()
    }

    pub fn is_letter_or_digit(character: char) -> bool {
        RegExp::new(r"[\p{Alphabetic}\p{N}]", "u").test(character.encode_utf8(&mut [0; 4]))
    }

    pub fn is_letter(character: char) -> bool {
        RegExp::new(r"\p{Alphabetic}", "u").test(character.encode_utf8(&mut [0; 4]))
    }

    #[cfg(feature = "page")]
    pub fn in_lower_case(text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    #[cfg(feature = "page")]
    pub fn in_upper_case(text: &str) -> String {
        JsString::from(text).to_upper_case().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script() {
        let check = |text: &str, expected: Option<char>| assert_eq!(first_letter(text), expected, "{text}");
        check("The", Some('T'));
        check("\u{201c}42 \u{5e9}", Some('\u{5e9}'));
        check("12 + 30", None);
        check("", None);
        assert!(is_letter_or_digit('\u{e9}') && is_letter_or_digit('7') && is_letter_or_digit('\u{0663}'));
        assert!(!is_letter_or_digit('[') && !is_letter_or_digit('\u{20ac}'));
    }

    #[cfg(feature = "page")]
    #[test]
    fn their_other_case() {
        assert_eq!(in_lower_case("Top-k, É"), "top-k, é");
        let check = |text: &str, expected: &str| assert_eq!(with_capital(text), expected);
        check("one expert", "One expert");
        check("µ-law", "Μ-law");
        check("", "");
        assert!(is_letter('k') && is_letter('τ') && !is_letter('′') && !is_letter('7'));
    }
}
