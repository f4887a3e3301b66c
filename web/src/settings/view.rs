//! What of the page an element shows: all of it, or some panels by their names.

use crate::settings::named::named;

named! {
    /// The panels by name, in reading order: in Rust, and everywhere else (`view="lanes"`, the class `panel-lanes`,
    /// `web/style/panels/lanes.css`). What each of them is, `views::panels` says. One with `only "page"` is in the whole
    /// page's module only, and an element that shows it loads that instead of the figure's.
    PanelName {
        Story "story", only "page"
        Strip "strip"
        Layers "layers"
        Lanes "lanes"
        Token "token"
        Load "load"
        Loss "loss"
        Counts "counts"
        Policies "policies", only "page"
        Drops "drops", only "page"
        Batch "batch", only "page"
        Runs "runs", only "page"
        Positions "positions", only "page"
        Experts "experts", only "page"
        Findings "findings", only "page"
        Moments "moments", only "page"
        Training "training", only "page"
        Methods "methods", only "page"
        Losses "losses", only "page"
        Microscope "microscope", only "page"
        Block "block", only "page"
    }
}

/// The one that a narrow screen begins with.
impl Default for PanelName {
    fn default() -> PanelName {
        PanelName::Lanes
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum View {
    /// The whole page.
    #[default]
    Full,
    /// These panels and nothing else, with one selection for all of them.
    Panels(Vec<PanelName>),
}

/// Second words for panels, which texts about routing have for them. Links and files say the first.
pub const OTHER_WORDS: &[(&str, PanelName)] = &[
    ("matrix", PanelName::Layers),
    ("gate", PanelName::Token),
    #[cfg(feature = "page")]
    ("equation", PanelName::Microscope),
];

/// A panel by either word.
fn panel(word: &str) -> Option<PanelName> {
    let other = OTHER_WORDS.iter().find(|(other, _)| *other == word);
    other.map(|&(_, panel)| panel).or_else(|| PanelName::of_word(word))
}

impl View {
    /// `full`, or names of panels with blanks between them.
    pub fn parse(text: &str) -> Option<View> {
        if text.trim() == "full" {
            return Some(View::Full);
        }
        let panels: Option<Vec<PanelName>> = text.split_whitespace().map(panel).collect();
        panels.filter(|panels| !panels.is_empty()).map(View::Panels)
    }

    /// Is it of panels alone that a figure's module has?
    pub fn is_small(&self) -> bool {
        match self {
            View::Full => false,
            View::Panels(panels) => panels.iter().all(|panel| panel.feature().is_none()),
        }
    }

    /// The inverse of [`View::parse`].
    pub fn text(&self) -> String {
        match self {
            View::Full => "full".to_owned(),
            View::Panels(panels) => panels.iter().map(|panel| panel.as_str()).collect::<Vec<_>>().join(" "),
        }
    }

    /// Every word that [`View::parse`] knows, for the message where it does not.
    pub fn allowed() -> String {
        let others: String = OTHER_WORDS.iter().map(|(word, _)| format!(", {word}")).collect();
        say!("full, or one or more of {words}", words = PanelName::words() + &others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_the_page_or_panels() {
        let check = |text: &str, expected: Option<View>| assert_eq!(View::parse(text), expected, "{text:?}");
        check("full", Some(View::Full));
        check(" lanes ", Some(View::Panels(vec![PanelName::Lanes])));
        check("strip  lanes", Some(View::Panels(vec![PanelName::Strip, PanelName::Lanes])));
        check("matrix gate", Some(View::Panels(vec![PanelName::Layers, PanelName::Token])));
        check("equation", Some(View::Panels(vec![PanelName::Microscope])));
        for text in ["full", "strip lanes"] {
            assert_eq!(View::parse(text).map(|view| view.text()).as_deref(), Some(text));
        }
        check("lanes full", None);
        check("tale", None);
        check("", None);
    }

    #[test]
    fn a_second_word_is_no_panels_first_one() {
        assert!(OTHER_WORDS.iter().all(|(word, _)| PanelName::of_word(word).is_none() && *word != "full"));
    }
}
