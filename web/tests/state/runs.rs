//! Runs, and what a reader does with them, as lists of actions.

use std::rc::Rc;

use moe_router::rule::Besides;
use moe_router::rules;
use moe_trace::{
    BackendChoice, Command, Event, FinishReason, Policy, RoutingGroup, RoutingSpec, RunId, RunRequest, Source,
    StepTrace, TokenId,
};
use web::run::difference;
use web::run::recording::Recording;
use web::run::runs::Runs;
use web::run::scene::{Scene, TokenFate};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::overrides::Overrides;
use web::settings::routing_choice::RoutingChoice;
use web::settings::{PromptProblem, Setting, rule_form};
use web::state::{Action, Effect, Engine, Motion};

use super::play::{Play, recorded};
use crate::fixture;

#[test]
fn moving_the_capacity_factor_reruns_and_compares() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 2).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    play.set(Setting::CapacityFactor(2.0));
    assert_eq!(play.effects, [Effect::ScheduleRerun]);
    // A second move before the first has rested begins the rest anew; both are one re-run.
    play.set(Setting::CapacityFactor(2.5));
    assert_eq!((play.posted(), &play.effects[..]), (None, &[Effect::ScheduleRerun][..]));
    play.act(Action::Rerun);
    let second = play.posted().expect("a re-run");
    play.act(Action::Rerun);
    assert_eq!(play.posted(), None, "what has been run is not run again");
    assert_eq!(second.routing, RoutingSpec::with_policy(2, Policy::Drop, 2.5));
    play.execute(&second, 1);
    assert_eq!(play.state.scene().map(|scene| scene.totals().lost), Some(0));
    let change = play.state.change().cloned().expect("a comparison");
    // The fixture's losses do not depend on routing; a comparison over all 23 predicted tokens is what counts.
    assert_eq!((change.before.num_tokens, change.after.num_tokens), (23, 23));
    // A/B brings the run before back, and again the new one.
    play.act(Action::Flip);
    assert_eq!(play.state.scene().map(|scene| scene.totals().lost), Some(1));
    play.act(Action::Flip);
    assert_eq!(play.state.scene().map(|scene| scene.totals().lost), Some(0));
}

#[test]
fn a_slider_that_is_dragged_runs_the_model_once() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 1).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    for factor in [1.5, 1.75, 2.0] {
        play.act(Action::Slide(factor));
        assert_eq!(play.effects, [], "nothing is asked for on the way");
        let what_if = play.state.what_if().expect("what the layer would be");
        assert_eq!(what_if.routing.capacity, Some((factor * 2.0 * 24.0 / 8.0).ceil() as u32));
    }
    play.act(Action::LetGo);
    assert_eq!(play.effects, [Effect::ScheduleRerun]);
    play.act(Action::Rerun);
    let second = play.posted().expect("a re-run");
    assert_eq!(second.routing, RoutingSpec::with_policy(2, Policy::Drop, 2.0));
    // Let go where it was taken up.
    play.act(Action::Slide(2.0)).act(Action::LetGo);
    assert_eq!(play.effects, []);
}

#[test]
fn stale_steps_are_ignored() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 1).act(Action::Run { prompt: None });
    let second = play.posted().expect("another run");
    assert_ne!(first.run, second.run);
    play.execute(&second, 1).execute(&first, 5);
    assert_eq!(play.num_steps(), 1);
    play.hear(Event::Finished { run: first.run, reason: FinishReason::Stopped });
    assert!(play.state.engine().is_at(second.run));
}

#[test]
fn stop_is_asked_once_and_ends_the_run() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let run = play.posted().expect("a run").run;
    play.act(Action::Stop);
    assert_eq!(play.effects, [Effect::Post(Command::Stop(run))]);
    play.act(Action::Stop);
    assert_eq!(play.effects, []);
    assert!(play.state.is_stopping());
    play.hear(Event::Finished { run, reason: FinishReason::Stopped });
    assert!(play.state.engine().is_ready() && !play.state.is_running());
}

#[test]
fn prompts_that_cannot_run_are_kept_and_explained() {
    let check = |prompt: &str, what: &str| {
        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).ready();
        let request = play.posted().expect("a run");
        play.execute(&request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        play.act(Action::Run { prompt: Some(prompt.to_owned()) });
        assert_eq!(play.posted(), None);
        assert_eq!(play.state.settings().prompt, prompt);
        let notice = play.state.notice().expect("an explanation").problem.say();
        assert!(notice.what.starts_with(what), "{}", notice.what);
        assert_eq!(play.num_steps(), 1, "the run on the screen stays");
    };
    check("", "The prompt is empty.");
    check(&"x".repeat(30_000), "The prompt is too long: 30000 of at most 20000 characters.");
}

/// What a model sees is counted in its tokens; characters keep only absurd texts from the engine.
#[test]
fn characters_keep_only_absurd_prompts_from_the_engine() {
    let max_tokens = fixture::model().max_tokens;
    let check = |prompt: String, num_tokens: u32, runs: bool| {
        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).ready();
        let request = play.posted().expect("a run");
        play.execute(&request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        play.set(Setting::Prompt(prompt.clone()));
        assert!(play.effects.contains(&Effect::Post(Command::Count(prompt.clone()))));
        play.hear(Event::Counted { text: prompt.clone(), num_tokens });
        let too_many = PromptProblem::TooManyTokens { num_tokens, max_tokens };
        assert_eq!(play.state.prompt_problem(), (!runs).then_some(too_many));
        play.act(Action::Run { prompt: None });
        assert_eq!(play.posted().map(|request| request.prompt), runs.then_some(prompt));
    };
    let long = "characters ".repeat(1800);
    check(long[..15_000].to_owned(), max_tokens, true);
    check(long, max_tokens + 1, false);

    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    play.set(Setting::Prompt("x".repeat(30_000)));
    assert!(!play.effects.iter().any(|effect| matches!(effect, Effect::Post(Command::Count(_)))), "{:?}", play.effects);
}

#[test]
fn changed_attributes_change_only_what_they_name() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    play.set(Setting::Seed(99));
    let overrides = Overrides::from_iter([Setting::CapacityFactor(0.5)]);
    let config = Config { backend: BackendChoice::Auto, overrides, ..Config::default() };
    play.configure(&config);
    assert_eq!((play.state.settings().seed, play.state.settings().capacity_factor), (99, 0.5));
    assert!(matches!(play.effects[..], [Effect::ScheduleRerun]));
    let config = Config { backend: BackendChoice::Recorded, ..config };
    play.configure(&config);
    assert_eq!(play.effects[0], Effect::EndEngine);
    assert_eq!(play.state.engine(), &Engine::Absent);
}

#[test]
fn decode_steps_gather_to_one_text() {
    let file = fixture::default_trace(RoutingSpec::default(), RoutingGroup::DecodeStep);
    let prompt_len = fixture::words(fixture::PROMPT).len();
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&file);
    // Nothing is lost, so the end of the prompt is shown.
    assert_eq!((play.state.scene().map(|scene| scene.step), play.state.selection().token), (Some(23), 23));
    play.act(Action::StepTo(prompt_len + 2));
    let scene = play.scene();
    assert_eq!(scene.tokens.len(), prompt_len + 3);
    assert_eq!(scene.groups.len(), prompt_len + 3);
    let last = scene.groups[prompt_len + 2];
    assert_eq!((last.num_tokens, last.first), (1, scene.tokens.len() - 1));
    assert_eq!(scene.layers[0].capacities[prompt_len + 2], Some(1), "one token, one slot");
    assert_eq!(scene.layers[0].of_token(scene.tokens.len() - 1).len(), 2);
    let ended = |token: usize| scene.next_after(token).map(|(step, _)| step);
    assert_eq!((ended(0), ended(prompt_len)), (Some(0), Some(prompt_len)));
}

#[test]
fn the_prompt_ends_where_its_bytes_do() {
    let check = |group: RoutingGroup, num_steps: usize, expected: usize| {
        let file = fixture::default_trace(RoutingSpec::default(), group);
        let mut run = Recording::new(Source::Recorded, Rc::new(fixture::model()), fixture::request_of(&file));
        for step in file.steps.into_iter().take(num_steps) {
            run = run.with_step(step, None).expect("steps in order");
        }
        assert_eq!(run.prompt_len(), expected, "{group} after {num_steps} steps");
    };
    check(RoutingGroup::ThisText, 1, 24);
    check(RoutingGroup::ThisText, 9, 24);
    check(RoutingGroup::DecodeStep, 0, 0);
    check(RoutingGroup::DecodeStep, 3, 3);
    check(RoutingGroup::DecodeStep, 24, 24);
    check(RoutingGroup::DecodeStep, 30, 24);
}

#[test]
fn texts_that_only_begin_alike_are_not_compared() {
    let check = |group: RoutingGroup, other_token: Option<usize>, is_compared: bool| {
        let file = fixture::default_trace(RoutingSpec::default(), group);
        let model = Rc::new(fixture::model());
        let empty = Recording::new(Source::Recorded, model, fixture::request_of(&file));
        let (mut before, mut now) = (empty.clone(), empty);
        for step in file.steps {
            now = now.with_step(step.clone(), None).expect("steps in order");
            let mut other = step;
            let at = other_token.and_then(|token| token.checked_sub(other.first_position() as usize));
            if let Some(token) = at.and_then(|at| other.tokens.get_mut(at)) {
                token.id = token.id.map(|id| TokenId(id.0 + 1));
            }
            before = before.with_step(other, None).expect("steps in order");
        }
        let now = Scene::of(&Shared::new(now), 99).expect("a scene");
        assert_eq!(
            web::run::compare::change(&Shared::new(before), &now).is_some(),
            is_compared,
            "{group} {other_token:?}"
        );
    };
    for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
        check(group, None, true);
        check(group, Some(2), false);
        check(group, Some(23), false);
        check(group, Some(24), true);
    }
}

#[test]
fn playing_goes_to_the_end_and_stops() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded()).act(Action::TogglePlay);
    for _ in 0..100 {
        play.act(Action::Tick);
    }
    let scene = play.scene();
    assert_eq!(scene.step + 1, play.num_steps());
    assert!(!play.state.playback().playing);
    assert_eq!(play.state.selection().token + 1, scene.tokens.len(), "the selection follows the playback head");
    play.act(Action::StepBy(-1)).act(Action::Move(Motion::FirstToken));
    assert_eq!(play.state.selection().token, 0);
    play.act(Action::Move(Motion::Token(-1))).act(Action::Move(Motion::Layer(99)));
    assert_eq!((play.state.selection().token, play.state.selection().layer), (0, fixture::NUM_LAYERS - 1));
    play.act(Action::StepTo(0)).act(Action::Move(Motion::NextDrop));
    let scene = play.scene();
    let selection = play.state.selection();
    assert!(scene.layers[selection.layer].fate(selection.token) >= TokenFate::LostSome);
}

#[test]
fn without_an_engine_a_change_is_a_what_if_of_one_layer() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    assert_eq!(play.state.what_if(), None);
    play.set(Setting::CapacityFactor(2.0));
    assert_eq!(play.effects, [], "nothing is run");
    let layer = play.state.what_if().cloned().expect("the same logits, routed again");
    assert_eq!((layer.totals().lost, layer.routing.capacity), (0, Some(12)));
    let scene = play.scene();
    assert_eq!(scene.totals().lost, 1, "the run itself is as it was");
    // Chance needs draws, and another group other tokens: neither can be said without a re-run.
    play.set(Setting::Policy(Some(Policy::RandomSecond)));
    assert_eq!(play.state.what_if(), None);
    play.set(Setting::Policy(Some(Policy::Drop))).set(Setting::Group(RoutingGroup::DecodeStep));
    assert_eq!(play.state.what_if(), None);
    play.set(Setting::Group(RoutingGroup::ThisText)).set(Setting::CapacityFactor(1.25));
    assert_eq!(play.state.what_if(), None, "back to what was run");
}

#[test]
fn any_rule_can_be_tried() {
    // A live run's draws are its own, and how often a token occurs no trace holds; the model here has learned no bias.
    let has_what_if = |spec: &RoutingSpec| {
        let facts = rules::facts(&spec.router);
        !facts.chance.draws_live() && facts.besides != Besides::TokenFrequencies
    };
    for rule in rule_form::all() {
        let mut play = Play::new(BackendChoice::Recorded);
        play.replay(&recorded()).set(Setting::Rule(rule));
        let spec = play.state.routing();
        let is_another = spec != RoutingSpec::default();
        assert_eq!(spec.router, rule);
        assert_eq!(play.state.what_if().is_some(), is_another && has_what_if(&spec), "{rule:?}");
        play.set(Setting::Rule(RoutingSpec::default().router));
        assert_eq!((play.state.settings().routing, play.state.what_if()), (RoutingChoice::AsTrained, None));

        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).ready().set(Setting::Rule(rule));
        assert_eq!(play.effects.contains(&Effect::ScheduleRerun), is_another, "{rule:?}");
        play.act(Action::Rerun);
        assert_eq!(play.posted().map(|request| request.routing.router), is_another.then_some(rule));
    }
}

#[test]
fn a_run_stands_beside_the_one_before() {
    let run = |number: u32, seed: u32| {
        let file = recorded();
        let request = RunRequest { run: RunId(number), seed, ..fixture::request_of(&file) };
        let run = Recording::new(Source::LiveCpu, Rc::new(fixture::model()), request);
        let step = StepTrace { run: RunId(number), ..file.steps[0].clone() };
        run.with_step(step, Some(1.0)).expect("its first step")
    };
    let mut runs = Runs::default();
    let check = |runs: &Runs, on_screen: u32, against: Option<u32>, looks_back: bool| {
        let number = |run: Option<&Shared<Recording>>| run.map(|run| run.run().0);
        assert_eq!((number(runs.on_screen()), number(runs.against())), (Some(on_screen), against));
        assert_eq!(runs.looks_back(), looks_back);
    };
    assert!(runs.on_screen().is_none() && !runs.looks_back());
    runs.flip();
    runs.begin(run(1, 10));
    check(&runs, 1, None, false);
    runs.begin(run(2, 20));
    check(&runs, 2, Some(1), false);
    runs.flip();
    check(&runs, 1, Some(2), true);
    // The latest run is "before", whichever was looked at.
    runs.begin(run(3, 30));
    check(&runs, 3, Some(2), false);
    // The same request again takes the place of the run it repeats.
    runs.begin(run(4, 30));
    check(&runs, 4, Some(2), false);
    runs.flip();
    runs.begin(run(5, 30));
    check(&runs, 5, Some(2), false);
    // A run that is over takes no more steps.
    let second = || StepTrace { run: RunId(5), ..recorded().steps[1].clone() };
    assert!(runs.add_step(second(), Some(1.0)) && !runs.add_step(second(), Some(1.0)), "each step once");
    runs.end_live();
    assert_eq!(runs.latest().and_then(|run| run.finished), Some(FinishReason::Stopped));
    // Eight are kept, and those that are looked at among them.
    runs.show(RunId(1));
    runs.compare_with(RunId(2));
    check(&runs, 1, Some(2), true);
    for number in 6..16 {
        runs.begin(run(number, 10 * number));
    }
    let kept: Vec<u32> = runs.kept().iter().map(|run| run.run().0).collect();
    assert_eq!(kept, [8, 9, 10, 11, 12, 13, 14, 15]);
    check(&runs, 15, Some(14), false);
}

/// Any two kept runs can be compared, in either order.
#[test]
fn any_two_runs_are_compared() {
    let mut play = Play::in_lab(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let mut numbers = Vec::new();
    for factor in [1.25, 0.5, 2.0] {
        play.set(Setting::CapacityFactor(factor)).act(Action::Run { prompt: None });
        let request = play.posted().expect("a run");
        play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        numbers.push(request.run);
    }
    let pair = |play: &Play| (play.state.on_screen().map(|run| run.run()), play.state.against().map(|run| run.run()));
    assert_eq!(pair(&play), (Some(numbers[2]), Some(numbers[1])));
    play.act(Action::CompareWith(numbers[0]));
    assert_eq!(pair(&play), (Some(numbers[2]), Some(numbers[0])));
    assert!(!play.state.runs().is_flipped());
    play.act(Action::ShowRun(numbers[1]));
    assert_eq!(pair(&play), (Some(numbers[1]), Some(numbers[0])));
    assert_eq!(play.state.settings().capacity_factor, 0.5, "the controls say how it was made");
    // The one that it is compared with changes places with it.
    play.act(Action::ShowRun(numbers[0]));
    assert_eq!(pair(&play), (Some(numbers[0]), Some(numbers[1])));
    assert!(play.state.runs().is_flipped());
    play.act(Action::CompareWith(numbers[0])).act(Action::ShowRun(RunId(99)));
    assert_eq!(pair(&play), (Some(numbers[0]), Some(numbers[1])), "not with itself, nor one that there is not");

    // Capacity 0.5 and 2 at the same length of text: the sentence's numbers are those of the two traces.
    play.act(Action::ShowRun(numbers[2])).act(Action::CompareWith(numbers[1]));
    let pair = play.state.pair().cloned().expect("two runs that have ended");
    let [one, other] = [numbers[1], numbers[2]].map(|run| play.state.runs().get(run).expect("kept").steps[1].clone());
    let lost = |step: &StepTrace| {
        let requests = step.layers.iter().filter_map(|layer| layer.routing()).flat_map(|routing| &routing.assignments);
        requests.filter(|request| request.fate == moe_trace::Fate::Lost).count()
    };
    assert_eq!((pair.lost_before, pair.lost_after), (lost(&one), lost(&other)));
    assert!(pair.lost_before > 0 && pair.lost_after == 0);
    assert_eq!((pair.num_shared, pair.text_len), (25, 25));
    // The fixture's gate does not see what was lost.
    assert_eq!((pair.routes_changed, pair.routes), (Some(0), 25 * fixture::NUM_LAYERS));
}

/// The controls say how the run on the screen was made, and the page names what was changed between the two.
#[test]
fn the_controls_show_the_run_on_the_screen() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 2).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    play.set(Setting::CapacityFactor(0.5)).set(Setting::Policy(Some(Policy::Bpr))).act(Action::Run { prompt: None });
    let second = play.posted().expect("another run");
    play.execute(&second, 2).hear(Event::Finished { run: second.run, reason: FinishReason::Length });

    let (against, shown) = (play.state.against().cloned(), play.state.on_screen().cloned());
    let (against, shown) = (against.expect("the first"), shown.expect("the second"));
    let found = difference::differences(&against, &shown);
    let policies = "when full first come, first served → most confident first (BPR)";
    assert_eq!(found, [policies, "capacity factor 1.25 → 0.5"]);
    assert!(difference::differences(&shown, &shown).is_empty());

    play.act(Action::Flip);
    assert_eq!(play.state.routing(), first.routing);
    assert!(!play.state.settings_differ_from_shown() && play.state.rerun_status().is_empty());
    assert_eq!(play.posted(), None, "looking back runs nothing");
    play.set(Setting::Prompt("typed since".to_owned())).act(Action::Flip);
    assert_eq!((play.state.routing(), play.state.settings().prompt.as_str()), (second.routing, "typed since"));

    // A change begins from what is on the screen.
    play.act(Action::Flip).set(Setting::K(Some(1))).act(Action::Rerun);
    let third = play.posted().expect("a third run");
    assert_eq!(third.routing, RoutingSpec::with_policy(1, Policy::Drop, 1.25));
}

/// How long a prompt is the engine says, in tokens, once it may be too long.
#[test]
fn a_long_prompt_is_counted_in_tokens() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let asked = |play: &Play| {
        play.effects.iter().find_map(|effect| match effect {
            Effect::Post(Command::Count(text)) => Some(text.clone()),
            _ => None,
        })
    };
    play.set(Setting::Prompt("a".repeat(256)));
    assert_eq!((asked(&play), play.state.prompt_tokens()), (None, None), "it fits, whatever it is");
    let long = "word ".repeat(80);
    play.set(Setting::Prompt(long.clone()));
    assert_eq!(asked(&play), Some(long.clone()));
    play.act(Action::ToggleHelp);
    assert_eq!(asked(&play), None, "once");
    play.hear(Event::Counted { text: "of before".to_owned(), num_tokens: 7 });
    assert_eq!(play.state.prompt_tokens(), None);
    play.hear(Event::Counted { text: long.clone(), num_tokens: 300 });
    assert_eq!(play.state.prompt_tokens(), Some((300, 256)));
    play.act(Action::Run { prompt: None });
    let why = play.state.notice().map(|notice| notice.problem.say().why);
    assert_eq!(why.as_deref(), Some("It is 300 tokens long; this model sees at most 256."));
    play.set(Setting::Prompt("short".to_owned()));
    assert_eq!((play.state.prompt_tokens(), play.state.prompt_problem()), (None, None));
}
