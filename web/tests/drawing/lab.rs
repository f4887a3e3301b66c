//! The panels that check numbers: losses and the routing microscope, drawn of runs under every rule.

use moe_router::auxiliary;
use moe_router::rules;
use moe_trace::{
    BackendChoice, CapacitySpec, Fate, Intervention, LayerIdx, OutputNorms, Overflow, RoutingSpec, TraceFile,
};
use web::run::losses;
use web::run::proof::{self, NotAgain};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::micro_step::MicroStep;
use web::settings::view::{PanelName, View};
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// A run of a model trained with `rule` and a small capacity.
fn run_of(rule: &str, num_experts: usize) -> TraceFile {
    let router = rules::parse_router(rule).expect("a rule");
    let overflow = Overflow::Drop(CapacitySpec::default());
    fixture::trace_of_rule(RoutingSpec { router, overflow }, num_experts, 1)
}

/// Every rule that gate logits are enough for, as an example.
fn rules_that_run() -> impl Iterator<Item = &'static str> {
    let can_run =
        |example: &&str| rules::parse_router(example).is_ok_and(|router| rules::facts(&router).besides.is_in_a_model());
    rules::all().filter_map(|rule| rule.example()).filter(can_run)
}

fn shown(file: TraceFile, panel: PanelName, step: MicroStep, token: usize) -> State {
    let view = View::Panels(vec![panel]);
    let config = Config { backend: BackendChoice::Recorded, view, micro_step: Some(step), ..Config::default() };
    let began = replay::began(file.header).expect("a run of ours");
    let steps = file.steps.into_iter().map(replay::step);
    let select = Action::Select { token, layer: Some(1), expert: None };
    let actions = [began].into_iter().chain(steps).chain([replay::finished(), Action::StepTo(0), select]);
    actions.fold(State::new(config, Vec::new()).0, |state, action| state.apply(action).0)
}

/// The panel as HTML, of layer 1.
fn drawn(file: &TraceFile, panel: PanelName, step: MicroStep, token: usize) -> String {
    let file = file.clone();
    let html = html::<Page>(move || PageProps {
        state: Shared::new(shown(file, panel, step, token)),
        dispatch: Callback::noop(),
    });
    assert!(!html.contains("NaN") && !html.contains(" style="), "{panel:?}");
    assert!(html.split(|c: char| !c.is_alphabetic()).all(|word| word != "inf"), "{panel:?}: something says \"inf\"");
    html
}

#[test]
fn every_rule_has_its_losses() {
    for rule in rules_that_run() {
        let file = run_of(rule, 8);
        let html = drawn(&file, PanelName::Losses, MicroStep::Logits, 3);
        for loss in auxiliary::all() {
            assert!(html.contains(loss.title), "{rule}: nothing says {:?}", loss.title);
        }
        assert!(html.contains("Needs to know which experts share a device"), "{rule}");
    }
}

#[test]
fn a_loss_is_drawn_with_its_formula_its_number_and_its_paper() {
    let html = drawn(&run_of("top_k:2", 8), PanelName::Losses, MicroStep::Logits, 3);
    let state = shown(run_of("top_k:2", 8), PanelName::Losses, MicroStep::Logits, 3);
    let scene = state.scene().expect("a scene");
    let found = losses::of_layer(scene, 1);
    let (_, switch) = found.iter().find(|(loss, _)| loss.name == "switch").expect("a loss");
    let value = web::words::numbers::digits(switch.as_ref().expect("it can be computed").value);
    for words in [
        format!("Layer 1: Switch’s balance loss is {value}, even use gives 1; expert "),
        format!("<b>{value}</b><span class=\"fine\">even use: 1</span>"),
        "<msub><mi>f</mi><mi>e</mi></msub>".to_owned(),
        "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>T</mi></mrow></mfrac>".to_owned(),
        "href=\"https://arxiv.org/abs/2101.03961\"".to_owned(),
        "eq. 23-25".to_owned(),
    ] {
        assert!(html.contains(&words), "nothing says {words:?}");
    }
    // It is the loss of the same logits and requests, by the function itself.
    let layer = &run_of("top_k:2", 8).steps[0].layers[1];
    let (logits, routing) = (layer.gate_logits.as_ref().expect("logits"), layer.routing().expect("a routing"));
    let expected = moe_router::losses::switch(&moe_router::gate_probs(logits), routing);
    assert_eq!(switch.as_ref().map(|found| found.value), Ok(expected));
}

#[test]
fn losses_of_what_was_not_recorded_are_named_and_not_drawn() {
    let mut file = run_of("top_k:2", 8);
    for layer in file.steps.iter_mut().flat_map(|step| &mut step.layers) {
        layer.gate_logits = None;
    }
    let html = drawn(&file, PanelName::Losses, MicroStep::Logits, 3);
    assert!(html.contains("Needs gate logits, and this run recorded none."));
    assert!(html.contains("the weights are spread with CV²"), "what needs no gate is computed");
    assert!(!html.contains("Switch’s balance loss is"));
}

#[test]
fn every_rule_is_taken_apart_step_by_step() {
    for rule in rules_that_run() {
        let file = run_of(rule, 8);
        for &step in MicroStep::ALL {
            drawn(&file, PanelName::Microscope, step, 3);
        }
        let state = shown(file, PanelName::Microscope, MicroStep::Proof, 3);
        let scene = state.scene().expect("a scene");
        let facts = rules::facts(&rules::parse_router(rule).expect("a rule"));
        for (layer, token) in
            (0..scene.layers.len()).flat_map(|layer| (0..scene.tokens.len()).map(move |at| (layer, at)))
        {
            match proof::again(scene, layer, token) {
                Ok(again) => assert!(again.holds && again.difference == 0.0, "{rule}: {again:?}"),
                Err(why) => assert!(why == NotAgain::Chance && facts.chance.draws_live(), "{rule}: {why:?}"),
            }
        }
    }
}

#[test]
fn the_formula_has_the_numbers_of_the_run() {
    let file = run_of("top_k:2", 8);
    let routing = file.steps[0].layers[1].routing().expect("a routing").clone();
    let token = (0..routing.num_tokens).find(|&token| routing.of_token(token).iter().all(|a| a.fate.is_kept()));
    let token = token.expect("somebody is served") as usize;
    let [first, second] = routing.of_token(token as u32) else { panic!("two requests") };
    let digits = |number: f32| web::words::numbers::digits(number.into());
    let of = |step| drawn(&file, PanelName::Microscope, step, token);
    let check = |step, words: &[String]| {
        let html = of(step);
        for words in words {
            assert!(html.contains(words), "{step:?}: nothing says {words:?}");
        }
    };
    let logit = file.steps[0].layers[1].gate_logits.as_ref().expect("logits").row(token)[first.expert.index()];
    check(MicroStep::Logits, &[format!("the logit {} for expert {}", digits(logit), first.expert)]);
    check(MicroStep::Scores, &[format!("the probability {}", digits(first.weight_raw))]);
    check(
        MicroStep::Choice,
        &[format!("asks 2 of 8 experts: {}, {}", first.expert, second.expert), "section 2.1".to_owned()],
    );
    check(MicroStep::Queue, &[" came before ".to_owned(), format!("at expert {}", first.expert)]);
    check(MicroStep::Capacity, &["alttext=\"= ⌈1.25 · 2 · 23/8⌉ = 8\"".replace("23", &routing.num_tokens.to_string())]);
    let slot = first.fate.slot().expect("it was kept");
    check(MicroStep::Fate, &[format!("E{}: served in slot {slot}", first.expert)]);
    let (w1, w2) = (digits(first.weight), digits(second.weight));
    let combination = [format!("y = {w1} · FFN{}(x)", first.expert), format!("+ {w2} · FFN{}(x)", second.expert)];
    let (p1, p2) = (digits(first.weight_raw), digits(second.weight_raw));
    check(MicroStep::Weights, &combination);
    check(MicroStep::Weights, &[format!("= {p1}/{p1} + {p2} = {w1}")]);
    check(MicroStep::Proof, &["<b>Equal.</b>".to_owned(), "2 requests and the same".to_owned()]);
}

#[test]
fn a_decision_that_is_another_one_is_not_called_equal() {
    let mut file = run_of("top_k:2", 8);
    let layer = &mut file.steps[0].layers[1];
    let Some(moe_trace::Decision::Routing(routing)) = &mut layer.decision else { panic!("a routing") };
    let at = routing.assignments.partition_point(|a| a.token < 3);
    routing.assignments[at].weight += 0.001;
    let html = drawn(&file, PanelName::Microscope, MicroStep::Proof, 3);
    assert!(html.contains("<b>Not equal.</b>") && html.contains("the decision is another one"));
}

#[test]
fn what_cannot_be_taken_again_says_why() {
    let mut file = run_of("top_k:2", 8);
    for layer in file.steps.iter_mut().flat_map(|step| &mut step.layers) {
        layer.gate_logits = None;
    }
    let html = drawn(&file, PanelName::Microscope, MicroStep::Proof, 3);
    assert!(html.contains("The gate logits were not recorded, so the decision cannot be taken again."));
    let html = drawn(&run_of("random", 8), PanelName::Microscope, MicroStep::Proof, 3);
    assert!(html.contains("Chance has a say in this rule"));
}

#[test]
fn the_output_is_a_step_only_where_something_is_known_of_it() {
    let mut file = run_of("top_k:2", 8);
    let without = drawn(&file, PanelName::Microscope, MicroStep::Output, 3);
    assert!(!without.contains("</i>Output") && without.contains("step 7 of 8"), "the step before is open");
    for layer in file.steps.iter_mut().flat_map(|step| &mut step.layers) {
        let num_requests = layer.routing().map_or(0, |routing| routing.assignments.len());
        layer.output_norms = Some(OutputNorms { experts: vec![Some(1.5); num_requests], shared: None });
    }
    let with = drawn(&file, PanelName::Microscope, MicroStep::Output, 3);
    assert!(with.contains("</i>Output") && with.contains("(x)‖ = 1.5"));
}

#[test]
fn what_a_reader_changed_is_said() {
    let mut file = run_of("top_k:2", 8);
    let request = file.header.request.as_mut().expect("a run of ours");
    let noise = Intervention::GateNoise { layer: None, deviation: 0.5 };
    let elsewhere = Intervention::GateNoise { layer: Some(LayerIdx(0)), deviation: 0.25 };
    request.interventions = vec![noise, elsewhere];
    let html = drawn(&file, PanelName::Microscope, MicroStep::Logits, 3);
    assert!(html.contains("Changed in this run: the gate of every layer has noise of deviation 0.5. What"));
}

#[test]
fn the_layer_is_drawn_with_what_is_known_of_it() {
    let file = run_of("top_k:2", 8);
    let html = drawn(&file, PanelName::Block, MicroStep::Logits, 3);
    let routing = file.steps[0].layers[1].routing().expect("a routing");
    let asked: Vec<String> = routing.of_token(3).iter().map(|request| request.expert.to_string()).collect();
    for words in [
        "2 of 8 experts work for a token, 1.1 M of 3.6 M parameters".to_owned(),
        format!("asks {}", asked.join(", ")),
        "<title>Expert 7: ".to_owned(),
    ] {
        assert!(html.contains(&words), "nothing says {words:?}");
    }
    // 2 470 000 idle parameters in 24 experts: no whole number, so the size of one is not known.
    assert!(!html.contains("one expert") && !html.contains("shared experts:"));
    assert!(!html.contains("Look into it"), "a figure of this panel alone has no other to open");
}

#[test]
fn every_rule_and_number_of_experts_has_a_layer() {
    for rule in rules_that_run() {
        drawn(&run_of(rule, 8), PanelName::Block, MicroStep::Logits, 3);
    }
    let many = drawn(&run_of("top_k:2", 64), PanelName::Block, MicroStep::Logits, 3);
    assert!(many.contains("+49") && many.matches("<title>Expert ").count() == 15);
    let one = drawn(&run_of("top_k:1", 1), PanelName::Block, MicroStep::Logits, 3);
    assert!(one.contains("The only expert works for every token"));
}

#[test]
fn a_token_without_a_request_is_said_to_have_none() {
    let file = run_of("expert_choice:1", 8);
    let routing = file.steps[0].layers[1].routing().expect("a routing");
    let none = (0..routing.num_tokens).find(|&token| routing.of_token(token).is_empty()).expect("one is left out");
    let html = drawn(&file, PanelName::Microscope, MicroStep::Fate, none as usize);
    assert!(html.contains("No expert took") && html.contains("only the residual carries it"));
    let lost = run_of("switch", 8);
    let routing = lost.steps[0].layers[1].routing().expect("a routing");
    if let Some(dropped) = routing.assignments.iter().find(|a| a.fate == Fate::Lost) {
        let html = drawn(&lost, PanelName::Microscope, MicroStep::Weights, dropped.token as usize);
        assert!(html.contains(&format!("y = 0 · FFN{}(x)", dropped.expert)));
    }
}
