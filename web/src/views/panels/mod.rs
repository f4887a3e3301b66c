//! The registry of panels. A panel is a folder with its row (`PANEL`), its picture, its finding and its table twin;
//! its styles are `web/style/panels/<name>.css`. Panels do not know each other.

#[cfg(feature = "page")]
pub mod batch;
#[cfg(feature = "page")]
pub mod block;
pub mod counts;
#[cfg(feature = "page")]
pub mod drops;
#[cfg(feature = "page")]
pub mod experts;
#[cfg(feature = "page")]
pub mod findings;
pub mod lanes;
pub mod layers;
pub mod load;
pub mod loss;
#[cfg(feature = "page")]
pub mod losses;
#[cfg(feature = "page")]
pub mod methods;
#[cfg(feature = "page")]
pub mod microscope;
#[cfg(feature = "page")]
pub mod moments;
#[cfg(feature = "page")]
pub mod policies;
#[cfg(feature = "page")]
pub mod positions;
#[cfg(feature = "page")]
pub mod runs;
#[cfg(feature = "page")]
pub mod story;
pub mod strip;
pub mod token;
#[cfg(feature = "page")]
pub mod training;

use crate::settings::view::{PanelName, View};
use crate::views::panel::{Depth, Panel, Tab};

/// The row of a panel.
pub fn of(name: PanelName) -> &'static Panel {
    match name {
        #[cfg(feature = "page")]
        PanelName::Story => &story::PANEL,
        PanelName::Strip => &strip::PANEL,
        PanelName::Layers => &layers::PANEL,
        PanelName::Lanes => &lanes::PANEL,
        PanelName::Token => &token::PANEL,
        PanelName::Load => &load::PANEL,
        PanelName::Loss => &loss::PANEL,
        PanelName::Counts => &counts::PANEL,
        #[cfg(feature = "page")]
        PanelName::Training => &training::PANEL,
        #[cfg(feature = "page")]
        PanelName::Methods => &methods::PANEL,
        #[cfg(feature = "page")]
        PanelName::Policies => &policies::PANEL,
        #[cfg(feature = "page")]
        PanelName::Drops => &drops::PANEL,
        #[cfg(feature = "page")]
        PanelName::Batch => &batch::PANEL,
        #[cfg(feature = "page")]
        PanelName::Runs => &runs::PANEL,
        #[cfg(feature = "page")]
        PanelName::Positions => &positions::PANEL,
        #[cfg(feature = "page")]
        PanelName::Experts => &experts::PANEL,
        #[cfg(feature = "page")]
        PanelName::Findings => &findings::PANEL,
        #[cfg(feature = "page")]
        PanelName::Moments => &moments::PANEL,
        #[cfg(feature = "page")]
        PanelName::Losses => &losses::PANEL,
        #[cfg(feature = "page")]
        PanelName::Microscope => &microscope::PANEL,
        #[cfg(feature = "page")]
        PanelName::Block => &block::PANEL,
    }
}

/// The tab that has to be in front for a panel to be seen; itself, where it is above all tabs.
pub fn tab_of(name: PanelName) -> PanelName {
    match of(name).tab {
        Tab::Of(other) => other,
        Tab::Always | Tab::Own(_) => name,
    }
}

/// What an element with this view shows, in reading order. The whole page goes as deep as `depth`: the story stands alone,
/// and the lab has all that one can inspect. Who asks for a panel by name gets it at any depth.
pub fn shown(view: &View, depth: Depth) -> impl Iterator<Item = &'static Panel> {
    let is_shown = move |panel: &&'static Panel| match view {
        View::Full => panel.depth <= depth && (panel.depth == Depth::Story) == (depth == Depth::Story),
        View::Panels(names) => names.contains(&panel.name),
    };
    PanelName::ALL.iter().map(|&name| of(name)).filter(is_shown)
}

/// The tabs of narrow screens with what is written on them, the one that is open at the beginning first.
pub fn tabs(depth: Depth) -> Vec<(PanelName, &'static str)> {
    let own_tab = |panel: &'static Panel| match panel.tab {
        Tab::Own(words) => Some((panel.name, words)),
        Tab::Always | Tab::Of(_) => None,
    };
    let mut tabs: Vec<_> = shown(&View::Full, depth).filter_map(own_tab).collect();
    if let Some(open) = tabs.iter().position(|&(name, _)| name == PanelName::default()) {
        tabs[..=open].rotate_right(1);
    }
    tabs
}

/// The tab in front, of those that there are at this depth: the one that was chosen may be of another.
pub fn front(chosen: PanelName, depth: Depth) -> PanelName {
    let tabs = tabs(depth);
    let is_there = tabs.iter().any(|&(name, _)| name == chosen);
    if is_there { chosen } else { tabs.first().map_or(chosen, |&(name, _)| name) }
}
