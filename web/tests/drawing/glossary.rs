//! Every word of the glossary is explained in one sentence with a source, and stands where it is used.

use web::views::parts::term::term;
use web::words::glossary;
use yew::prelude::*;

use super::html;

#[component]
fn Word() -> Html {
    term(&glossary::CAPACITY_FACTOR, "term", html! { "capacity factor" })
}

#[test]
fn a_word_has_one_sentence_and_a_source() {
    for term in glossary::ALL {
        let inside = term.meaning.strip_suffix('.').unwrap_or_else(|| panic!("{}: no sentence", term.name));
        assert!(!inside.contains(". "), "{}: more than one sentence", term.name);
        assert!(term.source.address.starts_with("https://"), "{}", term.name);
        let others = glossary::ALL.iter().filter(|other| other.name == term.name).count();
        assert_eq!(others, 1, "{} is explained twice", term.name);
    }
}

#[test]
fn a_word_opens_its_sentence() {
    let html = html::<Word>(|| ());
    let of = &glossary::CAPACITY_FACTOR;
    for words in ["<details", "<summary", "What is capacity factor?", of.meaning, of.source.words, of.source.address] {
        assert!(html.contains(words), "nothing says {words:?}: {html}");
    }
}
