//! What is drawn is in the language of the page around it, although figures of one document share what they know.

use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::view::View;
use web::state::{Action, State};
use web::views::page::{Page, PageProps};
use web::words::tongue::{self, Language};
use yew::prelude::*;

use crate::drawing::html;

/// A page that was asked for in this language, whose catalogue has come.
fn props(language: Language) -> PageProps {
    let config = Config { view: View::Full, language: Some(language), ..Config::default() };
    let (state, _) = State::new(config, Vec::new());
    let (state, _) = state.apply(Action::Learned { language, read: Ok(()) });
    PageProps { state: Shared::new(state), dispatch: Callback::noop() }
}

#[derive(Properties, PartialEq)]
struct Pages {
    languages: Vec<Language>,
}

#[component]
fn Several(pages: &Pages) -> Html {
    let page = |language: &Language| {
        let PageProps { state, dispatch } = props(*language);
        html! { <Page {state} {dispatch} /> }
    };
    html! { <>{ for pages.languages.iter().map(page) }</> }
}

#[test]
fn pages_of_one_document_speak_their_own_languages() {
    let languages = [Language::Chinese, Language::English, Language::Chinese];
    let drawn = html::<Several>(move || {
        tongue::learn(Language::Chinese, [("Language".to_owned(), "语言".to_owned())].into());
        Pages { languages: languages.to_vec() }
    });
    let pages: Vec<&str> = drawn.split("<div data-theme=").skip(1).collect();
    assert_eq!(pages.len(), languages.len());
    for (page, language) in pages.into_iter().zip(languages) {
        let (tag, page) = page.split_once('>').expect("a tag");
        assert!(tag.contains(&format!(" lang=\"{}\"", language.tag())) && tag.contains(" dir=\"ltr\""), "{tag}");
        let said = if language == Language::Chinese { "语言" } else { "Language" };
        assert!(page.contains(&format!("aria-label=\"{said}\"")), "{page}");
        // Each language is called by its own name, wherever it is chosen.
        assert!(page.contains("<span>English</span>") && page.contains("<span>中文</span>"), "{page}");
    }
}
