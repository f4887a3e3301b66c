//! Story, Inspect, Lab: three depths of one run. A switch between them loses nothing.

use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::settings::view::{PanelName, View};
use web::state::Action;
use web::views::panels;

use super::play::{Play, recorded};

fn page(depth: Depth) -> Play {
    let mut play = Play::with(Config { depth, ..Config::default() });
    play.replay(&recorded());
    play
}

#[test]
fn the_page_is_as_deep_as_its_attribute_says_and_as_its_reader_wants() {
    let mut play = page(Depth::Story);
    assert_eq!(play.state.screen().depth, Depth::Story);
    play.act(Action::SetDepth(Depth::Lab));
    assert_eq!(play.state.screen().depth, Depth::Lab);
    let attributes =
        |depth| Action::Configured { config: Box::new(Config { depth, ..Config::default() }), errors: Vec::new() };
    play.act(attributes(Depth::Story));
    assert_eq!(play.state.screen().depth, Depth::Lab, "an attribute that did not change takes nothing back");
    play.act(attributes(Depth::Inspect));
    assert_eq!(play.state.screen().depth, Depth::Inspect);
}

#[test]
fn switching_loses_nothing() {
    let mut play = page(Depth::Inspect);
    play.set(Setting::CapacityFactor(0.75)).set(Setting::Prompt("kept".to_owned()));
    play.act(Action::StepTo(3)).act(Action::Select { token: 4, layer: Some(1), expert: Some(2) });
    play.act(Action::SetTab(PanelName::Loss));
    let before = play.state.clone();
    for depth in [Depth::Story, Depth::Lab, Depth::Inspect] {
        play.act(Action::SetDepth(depth));
        assert_eq!(play.state.settings(), before.settings(), "{depth:?}");
        assert_eq!(play.state.selection(), before.selection(), "{depth:?}");
        assert_eq!(play.scene().step, 3, "{depth:?}");
    }
    assert!(play.state == before, "back again, all of it is as it was");
}

#[test]
fn lab_shows_all_of_inspect_and_a_narrow_screen_has_a_tab_in_front_at_every_depth() {
    let names = |depth| panels::shown(&View::Full, depth).map(|panel| panel.name).collect::<Vec<_>>();
    assert!(names(Depth::Inspect).iter().all(|name| names(Depth::Lab).contains(name)));
    for &depth in Depth::ALL {
        for &chosen in PanelName::ALL {
            let front = panels::front(chosen, depth);
            assert!(panels::shown(&View::Full, depth).any(|panel| panel.is_in_front(front)), "{chosen:?} at {depth:?}");
        }
    }
    assert_eq!(panels::front(PanelName::Loss, Depth::Inspect), PanelName::Loss);
}
