//! Where characters end that a reader sees as one (UAX 29): by the browser's own segmenter, which costs no download.
//! Natively, for the first paint and for tests, by a library that follows the same standard.

/// The byte offsets at which such characters begin, in order; the first is 0 unless the text is empty.
pub fn starts(text: &str) -> Vec<usize> {
    // The fast path, for nearly all texts. Of these characters only a line break takes two.
    if text.chars().all(stands_alone) {
        let starts = text.char_indices().map(|(at, _)| at);
        return starts.filter(|&at| at == 0 || !text[..at].ends_with('\r') || !text[at..].starts_with('\n')).collect();
    }
    of_any(text)
}

/// Does the character never join its neighbours? Letters and signs of the scripts in common use, without marks.
fn stands_alone(character: char) -> bool {
    matches!(character as u32,
        0..=0x2FF | 0x370..=0x482 | 0x48A..=0x58F | 0x5D0..=0x5EA | 0x620..=0x64A | 0x660..=0x66F | 0x1E00..=0x1FFF
        | 0x2010..=0x2027 | 0x2030..=0x203B | 0x20A0..=0x20CF | 0x2190..=0x21FF | 0x3001..=0x3029 | 0x3041..=0x3096
        | 0x30A1..=0x30FF | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3)
}

#[cfg(not(target_arch = "wasm32"))]
fn of_any(text: &str) -> Vec<usize> {
    use unicode_segmentation::UnicodeSegmentation;
    text.grapheme_indices(true).map(|(at, _)| at).collect()
}

#[cfg(target_arch = "wasm32")]
fn of_any(text: &str) -> Vec<usize> {
    let starts = intl::starts(text).unwrap_or_default();
    // A browser without a segmenter shows letter by letter.
    if starts.is_empty() { text.char_indices().map(|(at, _)| at).collect() } else { starts }
}

#[cfg(target_arch = "wasm32")]
mod intl {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = Intl)]
        type Segmenter;
        /// By default in the page's language, and for what a reader sees as one character.
        #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
        fn new() -> Result<Segmenter, JsValue>;
        #[wasm_bindgen(method)]
        fn segment(this: &Segmenter, text: &str) -> JsValue;
    }

    pub fn starts(text: &str) -> Option<Vec<usize>> {
        let segments = Segmenter::new().ok()?.segment(text);
        let segments = js_sys::Array::from(&segments);
        let index = JsValue::from_str("index");
        // Counted in units of UTF-16, in order.
        let mut units = segments.iter().filter_map(|segment| js_sys::Reflect::get(&segment, &index).ok()?.as_f64());
        let mut next = units.next();
        let (mut starts, mut unit) = (Vec::new(), 0);
        for (at, character) in text.char_indices() {
            if next == Some(f64::from(unit)) {
                starts.push(at);
                next = units.next();
            }
            unit += character.len_utf16() as u32;
        }
        Some(starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_stand_alone_do_so_by_the_standard() {
        for character in (0..0xD7FF).filter_map(char::from_u32).filter(|c| stands_alone(*c)) {
            let text = format!("a{character}é{character}한{character}");
            assert_eq!(of_any(&text), text.char_indices().map(|(at, _)| at).collect::<Vec<_>>(), "{character:?}");
        }

        for text in ["", "a", "ab c", "\r\n", "a\r\nb\n\r\r\n", "\r\r\n\n"] {
            assert_eq!(starts(text), of_any(text), "{text:?}");
        }
    }
}
