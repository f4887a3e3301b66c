//! A method that is tried shows what `moe-router` makes of the recorded gate logits, and runs nothing.

use moe_router::rule::Besides;
use moe_router::{Mixer, Router, RouterInput, rules};
use moe_trace::{BackendChoice, RoutingSpec, TokenId};
use web::run::tried::{Outcome, Tried};
use web::settings::Setting;
use web::settings::method::Method;
use web::state::Action;

use super::play::{Play, recorded};

fn tried(play: &mut Play, method: Method) -> Tried {
    play.act(Action::Try(Some(method)));
    (**play.state.tried().expect("it was tried")).clone()
}

#[test]
fn every_method_is_tried_at_once_and_nothing_is_run() {
    let mut play = Play::in_lab(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let scene = play.scene();
    let layer = play.state.selection().layer;
    let step = &scene.recording.steps[scene.step];
    let logits = step.layers[layer].gate_logits.as_ref().expect("recorded");
    let ids: Vec<TokenId> = step.tokens.iter().map(|token| token.id.expect("an id")).collect();
    let mut told = Vec::new();
    for method in Method::all() {
        let outcome = tried(&mut play, method).outcome;
        assert!(play.effects.is_empty(), "{method:?}: nothing is asked of the engine");
        match (method, outcome) {
            (Method::Assigns(router), Outcome::Routed(routed)) => {
                let spec = RoutingSpec { router, ..RoutingSpec::default() };
                let router = Router::new(spec, logits.num_experts()).expect("a legal spec");
                let expected = router.route(&RouterInput::new(logits).with_token_ids(&ids));
                assert_eq!(routed.layer.routing, expected, "{method:?}");
            }
            (Method::Mixes(mixer), Outcome::Mixed { mixing, .. }) => {
                let mixer = Mixer::new(mixer, logits.num_experts()).expect("a legal spec");
                assert_eq!(mixing, mixer.mix(&RouterInput::new(logits)).expect("finite"), "{method:?}");
            }
            (_, Outcome::Unknown(why)) => {
                assert!(why.ends_with('.'), "{method:?}: {why}");
                told.push(method);
            }
            (method, outcome) => panic!("{method:?}: {outcome:?}"),
        }
    }
    // What is drawn in a run, what no trace holds, and what needs more than a gate.
    for method in &told {
        let needs_more = match method {
            Method::Assigns(spec) => {
                let facts = rules::facts(spec);
                facts.chance.draws_live() || facts.besides == Besides::TokenFrequencies
            }
            Method::Mixes(_) => false,
            Method::Told(_) => true,
        };
        assert!(needs_more, "{method:?}");
    }
}

#[test]
fn the_rule_of_the_run_moves_nobody_and_another_moves_whom_it_moves() {
    let mut play = Play::in_lab(BackendChoice::Recorded);
    play.replay(&recorded());
    let comparison = |play: &mut Play, text: &str| match tried(play, Method::parse(text).expect(text)).outcome {
        Outcome::Routed(routed) => routed.comparison,
        other => panic!("{other:?}"),
    };
    let same = comparison(&mut play, "top_k:2");
    assert_eq!((same.moved.len(), same.before), (0, same.after));
    // One expert a token: whoever was served by two is served by others now.
    let switch = comparison(&mut play, "switch");
    assert!(switch.moved.len() > 20, "{switch:?}");
    assert_eq!((switch.before.requests, switch.after.requests), (48, 24));
    // Everybody is served by all.
    let dense = comparison(&mut play, "dense");
    assert_eq!((dense.moved.len(), dense.after.requests, dense.after.lost), (24, 24 * 8, 0));
}

#[test]
fn running_with_it_is_asking_for_its_rule() {
    let mut play = Play::in_lab(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let method = Method::parse("expert_choice:2").expect("a method");
    play.act(Action::Try(Some(method)));
    let Method::Assigns(spec) = method else { panic!("it assigns") };
    play.set(Setting::Rule(spec)).act(Action::Rerun);
    assert_eq!(play.posted().map(|request| request.routing.router), Some(spec));
    play.act(Action::Try(None));
    assert!(play.state.tried().is_none());
}
