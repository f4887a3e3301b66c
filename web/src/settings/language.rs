//! The language that can be asked for, as the attribute says it.

use crate::words::tongue::Language;

/// What may be written.
pub fn allowed() -> String {
    let codes: Vec<&str> = Language::ALL.iter().map(|language| language.code()).collect();
    format!("auto, {}, or a longer tag of one of these languages such as zh-CN", codes.join(", "))
}

/// Nothing where it is no language of the page; `Some(None)` leaves the language to the document.
pub fn parse(text: &str) -> Option<Option<Language>> {
    match text {
        "auto" => Some(None),
        tag => Language::of_tag(tag).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_or_auto_can_be_asked_for() {
        let asked = ["auto", "en", "zh-Hans-CN", "tlh", "automatic"].map(parse);
        assert_eq!(asked, [Some(None), Some(Some(Language::English)), Some(Some(Language::Chinese)), None, None]);
        assert_eq!(allowed(), "auto, en, zh, or a longer tag of one of these languages such as zh-CN");
    }
}
