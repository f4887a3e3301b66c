//! Languages, by their tags: those of the browser's user, and that of the text around an element.

use web_sys::HtmlElement;

/// As the user prefers them.
pub fn of_browser() -> Vec<String> {
    let languages = web_sys::window().map(|window| window.navigator().languages());
    languages.into_iter().flatten().filter_map(|tag| tag.as_string()).collect()
}

/// The nearest `lang` around an element; in a shadow tree that has none the document's.
pub fn around(element: &HtmlElement) -> Vec<String> {
    let near = element.parent_element().and_then(|parent| parent.closest("[lang]").ok().flatten());
    let found = near.or_else(|| element.owner_document()?.document_element());
    found.and_then(|found| found.get_attribute("lang")).into_iter().collect()
}
