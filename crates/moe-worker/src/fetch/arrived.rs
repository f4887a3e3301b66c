//! What a host may send in the place of a file, with a status that says all is well.

/// What these bytes are, if they are nothing that belongs to a model.
pub fn instead(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |words: &str| text.get(..words.len()).is_some_and(|text| text.eq_ignore_ascii_case(words.as_bytes()));
    match () {
        _ if begins("<!doctype") || begins("<html") || begins("<?xml") => Some("a web page"),
        _ if begins("version https://git-lfs") => Some("a Git LFS pointer"),
        _ if bytes.is_empty() => Some("an empty file"),
        _ => None,
    }
}
