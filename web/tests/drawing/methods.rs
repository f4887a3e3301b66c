//! The map of all methods, and what is said of the one that is tried.

use moe_router::rule::Family;
use moe_router::rules;
use moe_trace::RoutingSpec;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::method::Method;
use web::settings::view::{PanelName, View};
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

fn drawn(method: Option<Method>) -> String {
    html::<Page>(move || {
        let config = Config { view: View::Panels(vec![PanelName::Methods]), ..Config::default() };
        let file = fixture::trace_of_rule(RoutingSpec::default(), 8, 0);
        let began = replay::began(file.header).expect("a run of ours");
        let steps = file.steps.into_iter().map(replay::step);
        let all = [began].into_iter().chain(steps).chain([replay::finished(), Action::Try(method)]);
        let state = all.fold(State::new(config, Vec::new()).0, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

#[test]
fn the_map_has_every_rule_in_its_family() {
    let page = drawn(None);
    assert_eq!(page.matches(r#"class="method""#).count(), rules::all().count());
    for family in Family::ALL {
        let of_family = page.split(&format!("<h4 title=\"{}\">", family.says())).nth(1).expect("a box");
        let of_family = of_family.split("</ul>").next().unwrap_or_default();
        let expected: Vec<_> = rules::all().filter(|rule| rule.family == family).collect();
        for rule in &expected {
            assert!(of_family.contains(&format!("<span>{}</span>", rule.title)), "{}: {of_family}", rule.title);
        }
        assert_eq!(of_family.matches(r#"class="method""#).count(), expected.len(), "{family}");
    }
    assert!(page.contains(", runs on this model") && page.contains(", needs what is not here"));
}

#[test]
fn every_method_can_be_tried_and_says_what_it_is() {
    for method in Method::all() {
        let page = drawn(Some(method));
        let rule = method.rule();
        assert!(page.contains(&format!("<h3>{}</h3>", rule.title)), "{}", rule.name);
        assert!(page.contains(rule.one_line), "{}", rule.name);
        assert_eq!(page.matches(r#"aria-pressed="true""#).count(), 1, "{}: one is chosen", rule.name);
        let runs = method.obstacle(8, moe_trace::RoutingGroup::ThisText).is_none();
        assert_eq!(page.contains("Run with it"), runs, "{}", rule.name);
        assert_eq!(page.contains("The model cannot be run with it."), !runs, "{}", rule.name);
        assert_eq!(
            page.contains("its gate has learned to choose"),
            matches!(method, Method::Mixes(_)),
            "{}",
            rule.name
        );
        assert!(!page.contains(" style="), "{}", rule.name);
    }
}

/// A rule is drawn as what it is, and not squeezed into another's picture.
#[test]
fn every_kind_of_rule_has_its_own_picture() {
    let check = |text: &str, expected: &[&str], absent: &[&str]| {
        let page = drawn(Some(Method::parse(text).expect(text)));
        for words in expected {
            assert!(page.contains(words), "{text} lacks {words}");
        }
        for words in absent {
            assert!(!page.contains(words), "{text} has {words}");
        }
    };
    let lanes = r#"class="lanes"#;
    check("hierarchical:groups=2,k_groups=1,k_within=2", &["Group 0", "Group 1", "the first gate gives"], &["Group 2"]);
    check("per_sequence:2", &["One decision for all 24 tokens of the text"], &[lanes]);
    check("base:exact", &["What a slot costs at each expert", lanes], &[]);
    check("sinkhorn:1", &["What a slot costs at each expert"], &[]);
    check("sinkhorn:1,greedy", &[lanes], &["What a slot costs"]);
    check("expert_choice:2", &["Each row is an expert and the tokens that it picks."], &[]);
    check("soft_moe:2", &["Dispatch: what each slot is made of.", "Combine: whose output each token gets."], &[lanes]);
    check("lory:8", &["Merged expert 1, used by 8 of 24 tokens", "Merged expert 3, used by 8 of 24 tokens"], &[lanes]);
    check("shared:none", &["A lane for each shared expert"], &[lanes]);
    check("top_k:3", &[lanes], &["What a slot costs", "Group 0", "One decision"]);
}
