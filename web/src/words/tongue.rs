//! In which language the page speaks: sentences stand in the code in English, and a catalogue says them otherwise.
//!
//! A sentence is a template with names in braces. The English one is its own key, so that the code reads as the page
//! does, and whatever a catalogue lacks is said in English. Catalogues lie in `web/words/<language>`, one file a room or
//! panel; `cargo xtask tidy` compares them with the code, both ways. The macros `say!`, `many!` and `marked!` are known in
//! the whole crate, and nothing else says a sentence.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::rc::Rc;

/// A language that the page can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// The language of the code: it needs no catalogue.
    #[default]
    English,
    /// Simplified.
    Chinese,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// As the attribute and the name of the catalogue say it.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// As HTML's `lang` says it: with the script, by which a browser chooses its fonts.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-Hans",
        }
    }

    /// What its speakers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// In which direction it is written, as HTML's `dir` says it.
    pub fn direction(self) -> &'static str {
        match self {
            Language::English | Language::Chinese => "ltr",
        }
    }

    /// The first language of the page that a tag such as `zh-CN` asks for.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next()?.trim().to_ascii_lowercase();
        Language::ALL.into_iter().find(|language| language.code() == primary)
    }
}

/// English templates and what they are in another language.
pub type Catalogue = HashMap<String, String>;

thread_local! {
    /// What is spoken now, and the catalogues that have come. Figures of one document may speak different languages: each
    /// says its own before it draws or answers.
    static SPOKEN: RefCell<Spoken> = RefCell::default();
}

#[derive(Default)]
struct Spoken {
    now: Language,
    catalogues: Vec<(Language, Rc<Catalogue>)>,
}

/// From here on sentences are in this language, as far as its catalogue has come.
pub fn speak(language: Language) {
    SPOKEN.with_borrow_mut(|spoken| spoken.now = language);
}

/// The language that `speak` was told last.
pub fn spoken() -> Language {
    SPOKEN.with_borrow(|spoken| spoken.now)
}

/// Keeps a catalogue, for all figures of the document.
pub fn learn(language: Language, catalogue: Catalogue) {
    SPOKEN.with_borrow_mut(|spoken| {
        spoken.catalogues.retain(|(known, _)| *known != language);
        spoken.catalogues.push((language, Rc::new(catalogue)));
    });
}

/// Can it be spoken at once?
pub fn knows(language: Language) -> bool {
    language == Language::default()
        || SPOKEN.with_borrow(|spoken| spoken.catalogues.iter().any(|(known, _)| *known == language))
}

/// A text in the language of now: for constants, which `marked!` marks where they are written, and for texts of data, such
/// as a lesson's.
pub fn translated(english: &str) -> Cow<'_, str> {
    let found = SPOKEN.with_borrow(|spoken| {
        let (_, catalogue) = spoken.catalogues.iter().find(|(language, _)| *language == spoken.now)?;
        catalogue.get(english).cloned()
    });
    found.map_or(Cow::Borrowed(english), Cow::Owned)
}

/// A text of the code in the language of now, with the names of its template replaced by values in the same order. Called
/// through `say!`, hundreds of times: so it takes what costs a call the fewest bytes.
#[inline(never)]
pub fn said(template: &'static str, names: &[&str], values: &[&dyn Display]) -> String {
    filled(&translated(template), |name| value_of(name, names, values))
}

/// The same of a number of things, which is `{n}` in the template: `one` is for one of them. Called through `many!`. Chinese
/// has one form for all numbers; a language with more is told here by its rule.
#[inline(never)]
pub fn counted(n: usize, one: &'static str, other: &'static str, names: &[&str], values: &[&dyn Display]) -> String {
    let template = match spoken() {
        Language::English => Cow::Borrowed(if n == 1 { one } else { other }),
        Language::Chinese => translated(other),
    };
    filled(&template, |name| if name == "n" { Some(&n) } else { value_of(name, names, values) })
}

fn value_of<'a>(name: &str, names: &[&str], values: &[&'a dyn Display]) -> Option<&'a dyn Display> {
    names.iter().zip(values).find(|(known, _)| **known == name).map(|(_, value)| *value)
}

/// The template with its names replaced. A name that has no value stays as it is.
fn filled<'a>(template: &str, value_of: impl Fn(&str) -> Option<&'a dyn Display>) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    for piece in pieces(template) {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Name(name) => match value_of(name) {
                Some(value) => write!(text, "{value}").expect("writing to a string cannot fail"),
                None => text.extend(["{", name, "}"]),
            },
        }
    }
    text
}

/// A template is words and names by turns.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// What a template consists of, in order. A brace that nothing closes is text.
pub fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            rest = after;
            return Some(Piece::Name(name));
        }
        let from = usize::from(rest.starts_with('{'));
        let end = rest[from..].find('{').map_or(rest.len(), |at| at + from);
        let (words, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(words))
    })
}

/// Does the template name exactly these? Asked when the program is compiled.
pub const fn has_names(template: &str, names: &[&str]) -> bool {
    let mut at = 0;
    while at < names.len() {
        if !holds(template.as_bytes(), names[at].as_bytes()) {
            return false;
        }
        at += 1;
    }
    let (bytes, mut braces, mut byte) = (template.as_bytes(), 0, 0);
    while byte < bytes.len() {
        if bytes[byte] == b'{' {
            let mut known = false;
            let mut name = 0;
            while name < names.len() {
                known |= is_name(bytes, byte, names[name].as_bytes());
                name += 1;
            }
            if !known {
                return false;
            }
            braces += 1;
        }
        byte += 1;
    }
    braces >= names.len()
}

const fn holds(template: &[u8], name: &[u8]) -> bool {
    let mut at = 0;
    while at < template.len() {
        if is_name(template, at, name) {
            return true;
        }
        at += 1;
    }
    false
}

/// Does `{name}` stand there?
const fn is_name(template: &[u8], at: usize, name: &[u8]) -> bool {
    if at + name.len() + 2 > template.len() || template[at] != b'{' || template[at + name.len() + 1] != b'}' {
        return false;
    }
    let mut byte = 0;
    while byte < name.len() {
        if template[at + 1 + byte] != name[byte] {
            return false;
        }
        byte += 1;
    }
    true
}

/// A sentence in the language of now: `say!("Not served here")`, a `Cow<'static, str>`, or with names
/// `say!("expert {expert} of layer {layer}", expert, layer = at + 1)`, a `String`. A name without a value is a variable
/// of that name; numbers are written as they shall be read before they are put in. The compiler checks the names.
macro_rules! say {
    ($template:literal) => {
        $crate::words::tongue::translated($template)
    };
    ($template:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        const { assert!($crate::words::tongue::has_names($template, &[$(stringify!($name)),+]), "other names than the template's") };
        $crate::words::tongue::said(
            $template,
            &[$(stringify!($name)),+],
            &[$(&value!($name $(= $value)?) as &dyn ::std::fmt::Display),+],
        )
    }};
}

/// A sentence about a number of things, which is `{n}` in it: `many!(lost, "one request is lost", "{n} requests are lost")`,
/// with more names as `say!` has them. The second template is the key, since there are languages with one form.
macro_rules! many {
    ($n:expr, $one:literal, $other:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        const { assert!($crate::words::tongue::has_names($other, &["n" $(, stringify!($name))*]), "other names than the template's") };
        $crate::words::tongue::counted(
            $n as usize,
            $one,
            $other,
            &[$(stringify!($name)),*],
            &[$(&value!($name $(= $value)?) as &dyn ::std::fmt::Display),*],
        )
    }};
}

/// The value behind a name.
macro_rules! value {
    ($name:ident) => {
        $name
    };
    ($name:ident = $value:expr) => {
        $value
    };
}

/// A text that is written here as a constant and said elsewhere by `translated`: marked, so that catalogues know of it.
macro_rules! marked {
    ($text:literal) => {
        $text
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chinese(entries: &[(&str, &str)]) {
        learn(Language::Chinese, entries.iter().map(|&(key, text)| (key.to_owned(), text.to_owned())).collect());
        speak(Language::Chinese);
    }

    #[test]
    fn english_needs_no_catalogue() {
        let expert = 3;
        assert_eq!(say!("Not served here"), "Not served here");
        assert_eq!(say!("expert {expert} of layer {layer}", expert, layer = 1 + 1), "expert 3 of layer 2");
        let said = [1, 2, 0].map(|lost| many!(lost, "one request", "{n} requests"));
        assert_eq!(said, ["one request", "2 requests", "0 requests"]);
    }

    #[test]
    fn another_language_has_its_own_order_of_words() {
        chinese(&[
            ("expert {expert} of layer {layer}", "第 {layer} 层的专家 {expert}"),
            ("{n} requests", "{n} 个请求"),
        ]);
        assert_eq!(say!("expert {expert} of layer {layer}", expert = 3, layer = 2), "第 2 层的专家 3");
        assert_eq!(many!(1, "one request", "{n} requests"), "1 个请求");
        assert_eq!(say!("Not in the catalogue"), "Not in the catalogue", "what is missing is said in English");
        speak(Language::English);
        assert_eq!(many!(1, "one request", "{n} requests"), "one request");
        assert!(knows(Language::Chinese) && knows(Language::English));
    }

    #[test]
    fn a_template_is_words_and_names() {
        let check = |template: &str, expected: &[Piece]| assert_eq!(pieces(template).collect::<Vec<_>>(), expected);
        check("", &[]);
        check("a {b} c", &[Piece::Text("a "), Piece::Name("b"), Piece::Text(" c")]);
        check("{a}{b}", &[Piece::Name("a"), Piece::Name("b")]);
        check("an open { brace", &[Piece::Text("an open "), Piece::Text("{ brace")]);
        assert_eq!(said("{a} and {b}", &["a"], &[&1]), "1 and {b}");
    }

    #[test]
    fn names_are_compared_both_ways() {
        assert!(has_names("{a} and {b}", &["b", "a"]) && has_names("none", &[]) && has_names("{a}{a}", &["a"]));
        assert!(!has_names("{a}", &["b"]) && !has_names("{a}", &["a", "b"]) && !has_names("{a} {b}", &["a"]));
    }

    #[test]
    fn tags_name_languages() {
        let languages = ["zh", "zh-CN", "ZH_hant", "en-GB", "de", ""].map(Language::of_tag);
        let (chinese, english) = (Some(Language::Chinese), Some(Language::English));
        assert_eq!(languages, [chinese, chinese, chinese, english, None, None]);
    }
}
