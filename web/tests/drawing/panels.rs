//! The registry of panels: every row has its place, its tab and its styles, and an element's `view` shows exactly its
//! panels.

use std::collections::BTreeSet;
use std::fs;

use moe_trace::RoutingSpec;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::view::{PanelName, View};
use web::state::{State, replay};
use web::views::page::{Page, PageProps};
use web::views::panel::{Depth, Tab};
use web::views::panels;
use yew::Callback;

use super::html;
use crate::fixture;

const STYLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/style");

fn style(file: &str) -> String {
    fs::read_to_string(format!("{STYLE}/{file}")).unwrap_or_else(|error| panic!("web/style/{file}: {error}"))
}

#[test]
fn every_panel_has_styles_and_a_place_in_the_grid() {
    let names: BTreeSet<String> = PanelName::ALL.iter().map(|panel| format!("{}.css", panel.as_str())).collect();
    let files = fs::read_dir(format!("{STYLE}/panels")).expect("there are styles");
    let files: BTreeSet<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, names, "web/style/panels has a file for each panel");
    let grid = style("page.css");
    for &name in PanelName::ALL {
        let panel = panels::of(name);
        assert_eq!(panel.name, name, "the row is another panel's");
        assert!(grid.contains(&format!(".area-{} {{", panel.area)), "web/style/page.css has no .area-{}", panel.area);
    }
}

#[test]
fn every_panel_is_in_a_tab_that_there_is() {
    for &name in PanelName::ALL {
        if let Tab::Of(other) = panels::of(name).tab {
            assert!(matches!(panels::of(other).tab, Tab::Own(_)), "{name:?} is in a tab that is none");
        }
    }
    assert!(matches!(panels::of(PanelName::default()).tab, Tab::Own(_)), "a narrow screen begins with a tab");
}

/// The page of an element with this `view`, as HTML; with a run, or without one.
fn drawn(view: &'static str, with_run: bool) -> String {
    html::<Page>(move || {
        let (config, errors) = Config::read(|name| {
            let text = match name {
                "view" => view,
                "backend" => "recorded",
                _ => return None,
            };
            Some(text.to_owned())
        });
        assert_eq!(errors, []);
        let (mut state, _) = State::new(config, errors);
        if with_run {
            let file = fixture::trace_of_rule(RoutingSpec::default(), 8, 1);
            let began = replay::began(file.header).expect("a run of ours");
            let steps = file.steps.into_iter().map(replay::step);
            for action in std::iter::once(began).chain(steps) {
                (state, _) = state.apply(action);
            }
        }
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

/// The panels that are drawn, in their order.
fn panels_in(html: &str) -> Vec<&str> {
    let frames = html.split("<section ").skip(1);
    frames.filter_map(|frame| frame.split("panel-").nth(1)?.split([' ', '"']).next()).collect()
}

#[test]
fn a_view_is_its_panels_and_nothing_else() {
    let check = |view: &'static str, expected: &[&str]| {
        for with_run in [true, false] {
            let html = drawn(view, with_run);
            assert_eq!(panels_in(&html), expected, "view=\"{view}\"");
            assert_eq!(html.contains("prompt-bar"), view == "full");
        }
    };
    let whole: Vec<&str> = panels::shown(&View::Full, Depth::Inspect).map(|panel| panel.name.as_str()).collect();
    check("full", &whole);
    check("lanes", &["lanes"]);
    check("lanes strip", &["strip", "lanes"]);
}

#[test]
fn the_page_is_drawn_without_inline_styles() {
    for with_run in [true, false] {
        assert!(!drawn("full", with_run).contains(" style="), "strict security policies drop them");
    }
}

/// A token that was turned away in another layer has a dot, and the legend its key.
#[test]
fn a_dot_has_its_key() {
    let page = drawn("strip", true);
    let num_dots = page.matches("<i class=\"elsewhere\"></i>").count();
    assert_eq!(page.matches("class=\"of-dot\"").count(), 1);
    assert!(num_dots > 1, "one of them is the key's");
}
