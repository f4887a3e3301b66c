//! Findings on the reader's own text, against plain counts, and the recorded figures against the document they are of.

use moe_router::draws::SplitMix64;
use moe_router::{Router, RouterInput};
use moe_trace::{
    BackendChoice, Fate, GateLogits, LayerIdx, LayerTrace, NextToken, Priority, RunRequest, StepTrace, TokenId,
    TracedToken,
};
use web::run::findings::{Along, Collapse, Verdict, recorded};
use web::settings::depth::Depth;
use web::state::Action;
use web::state::background::Purpose;

use super::play::{Play, recorded as recorded_run};
use crate::fixture;

const NUM_WORDS: u64 = 5;

/// A text of five words by lot. What a token asks follows from its word, and all prefer the first two experts.
fn answer(request: &RunRequest) -> StepTrace {
    let mut tokens = fixture::words(&request.prompt);
    let mut words = SplitMix64::new(request.prompt.len() as u64);
    tokens.extend((0..request.max_new_tokens).map(|_| format!(" w{}", words.u64() % NUM_WORDS).into_bytes()));
    let ids: Vec<TokenId> = tokens.iter().map(|token| id(token)).collect();
    let router = Router::new(request.routing, fixture::NUM_EXPERTS).expect("valid");
    let values = ids.iter().flat_map(|id| {
        let own = id.0 as usize % fixture::NUM_EXPERTS;
        (0..fixture::NUM_EXPERTS).map(move |expert| if expert == own { 3.0 } else { -(expert as f32) })
    });
    let gate_logits = GateLogits::new(fixture::NUM_EXPERTS, values.collect()).expect("whole rows");
    let layers = (0..fixture::NUM_LAYERS).map(|layer| {
        let lots = SplitMix64::new((layer * 1009 + tokens.len()) as u64).uniforms(gate_logits.values().len());
        let routing = router.route(&RouterInput::new(&gate_logits).with_token_ids(&ids).with_lots(&lots));
        LayerTrace::decided(LayerIdx(layer as u32), gate_logits.clone(), routing)
    });
    let traced = tokens.iter().map(|token| TracedToken::text(id(token), token.clone(), None));
    let next = NextToken { candidates: Vec::new(), chosen: None };
    let layers = layers.collect();
    StepTrace::of_text(request.run, 0, 0, traced.collect(), layers, next)
}

fn id(token: &[u8]) -> TokenId {
    TokenId(token.iter().fold(7, |id: u32, &byte| id.wrapping_mul(31).wrapping_add(byte.into())))
}

#[test]
fn findings_are_tried_on_real_runs_of_the_readers_text() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded_run());
    play.act(Action::SetDepth(Depth::Lab)).ready();
    play.answer_all(answer);
    let before = play.state.findings().cloned().expect("a run has ended");
    assert_eq!(before.verdicts(), [Verdict::NotTried; 5], "nothing was run for it, and the text is short");

    play.act(Action::Compare(Purpose::MoreText));
    assert_eq!(play.answer_all(answer).len(), 7);
    play.act(Action::Compare(Purpose::Findings));
    let answered = play.answer_all(answer);
    // Seven texts in two orders, each at factor 1; that of the run is part of the longer one.
    assert_eq!(answered.len(), 14);
    let of_order = |priority: Priority| {
        let is_of = |(request, _): &&(RunRequest, StepTrace)| matches!(request.routing.overflow, moe_trace::Overflow::Drop(slots) if slots.priority == priority && slots.factor == 1.0);
        answered.iter().filter(is_of).map(|(_, step)| step).collect::<Vec<_>>()
    };
    // Every quarter by hand.
    let along = |priority: Priority| {
        let (mut made, mut lost) = ([0, 0], [0, 0]);
        for step in of_order(priority) {
            let quarter = step.tokens.len().div_ceil(4);
            for request in step.layers.iter().flat_map(|layer| &layer.routing().expect("decided").assignments) {
                for (at, is_in) in
                    [request.token < quarter as u32, request.token >= 3 * quarter as u32].into_iter().enumerate()
                {
                    made[at] += usize::from(is_in);
                    lost[at] += usize::from(is_in && request.fate == Fate::Lost);
                }
            }
        }
        Along { made, lost }
    };
    let findings = play.state.findings().cloned().expect("runs");
    let [in_order, by_lot] = findings.along.expect("a rule that turns away").expect("it was run");
    assert_eq!((in_order, by_lot), (along(Priority::Position), along(Priority::Random)));
    assert!(in_order.rise() > 0.3 && by_lot.rise().abs() < 0.1, "{in_order:?}, {by_lot:?}");
    assert_eq!((findings.rises(), findings.order_does_it()), (Verdict::Holds, Verdict::Holds));
    // Here the word decides everything: what a token asks first follows from it.
    let told = findings.measured.told.expect("enough text");
    assert!(told.id > 0.3 && told.id > told.position && told.id > told.before, "{told:?}");
    assert_eq!(findings.id_tells_most(), Verdict::Holds);
    // All ask the first two experts, or their own.
    let demand = findings.measured.demand.expect("enough text");
    assert!(demand.variation > 0.4 && demand.by_chance < 0.1, "{demand:?}");
    assert_eq!(findings.is_even(), Verdict::DoesNotHold);
    // The same from plain counts: of four experts the first two take the most.
    let collapse = findings.measured.collapse.clone().expect("enough text");
    let mut counts = vec![vec![0.0_f64; fixture::NUM_EXPERTS]; fixture::NUM_LAYERS];
    for token in findings.sample.tokens() {
        for (layer, counts) in findings.sample.texts[token.text].scene.layers.iter().zip(&mut counts) {
            layer.of_token(token.at).iter().for_each(|request| counts[request.expert.index()] += 1.0);
        }
    }
    for (counts, effective) in counts.iter().zip(&collapse.effective) {
        let all: f64 = counts.iter().sum();
        let product: f64 = counts.iter().map(|asked| (asked / all).powf(-asked / all)).product();
        assert!((product - effective).abs() < 1e-9, "{counts:?}: {effective}");
    }
    let is_small = collapse.mean() < 0.75 * fixture::NUM_EXPERTS as f64;
    assert_eq!(findings.has_collapsed() == Verdict::Holds, is_small);
}

#[test]
fn collapse_by_hand() {
    let check = |demands: &[Vec<u32>], mean: f64, quarter: f64, verdict: Verdict| {
        let collapse = Collapse::of(demands).expect("layers");
        assert!(
            (collapse.mean() - mean).abs() < 1e-9 && (collapse.busiest_quarter - quarter).abs() < 1e-9,
            "{collapse:?}"
        );
        assert_eq!(collapse.verdict(), verdict, "{collapse:?}");
    };
    check(&[vec![5, 5, 5, 5]], 4.0, 0.25, Verdict::DoesNotHold);
    // Two of four, and all of four: three on average, which is not below three quarters.
    check(&[vec![5, 5, 0, 0], vec![1, 1, 1, 1]], 3.0, 0.375, Verdict::DoesNotHold);
    check(&[vec![5, 5, 0, 0], vec![0, 9, 0, 0]], 1.5, 0.75, Verdict::Holds);
}

#[test]
fn a_rise_counts_beyond_a_point_and_two_standard_errors() {
    let check = |made: [usize; 2], lost: [usize; 2], expected: Verdict| {
        assert_eq!(Along { made, lost }.rises(), expected, "{lost:?} of {made:?}");
    };
    // 10 % against 20 %: two standard errors are 2 · sqrt(0.09 / 100 + 0.16 / 100) = 10 points, or with ten times as many 3.2.
    check([100, 100], [10, 20], Verdict::DoesNotHold);
    check([1000, 1000], [100, 200], Verdict::Holds);
    check([1000, 1000], [200, 100], Verdict::DoesNotHold);
    check([100_000, 100_000], [1000, 1900], Verdict::DoesNotHold);
    check([0, 10], [0, 5], Verdict::NotDecided);
}

/// The page's copy of the document's numbers. `cargo xtask measure` may change them; then these lines say which.
#[test]
fn recorded_figures_are_those_of_the_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/FINDINGS.md");
    let document = std::fs::read_to_string(path).expect("docs/FINDINGS.md");
    let says = |words: String| assert!(document.contains(&words), "docs/FINDINGS.md does not say {words:?}");
    let (rise, margin) = recorded::RISE_IN_ORDER;
    says(format!("At factor 1, served by position, losses change by {rise:+.1} ± {margin:.1} points"));
    let (rise, margin) = recorded::RISE_BY_LOT;
    says(format!("by lot {rise:+.1} ± {margin:.1} points"));
    says(format!("windows of {} held-out tokens ({} tokens", recorded::WINDOW, recorded::NUM_TOKENS));
    says(format!(
        "the id tells {:.1} % of the experts' entropy (mean over layers, beyond chance), the kind of text {:.1} %, the id \
         before {:.1} %, the position {:.1} %",
        recorded::TOLD_ID,
        recorded::TOLD_KIND,
        recorded::TOLD_BEFORE,
        recorded::TOLD_POSITION
    ));
    says(format!("mean over layers: default {:.2}, ", recorded::VARIATION));
    says(format!(
        "mean over layers: unbalanced {:.2} of 8, its twin with the loss default {:.2} of 8",
        recorded::EFFECTIVE_UNBALANCED,
        recorded::EFFECTIVE
    ));
    says(format!("below {} of its experts", web::run::findings::collapse::COLLAPSED));
    says(format!("Demand varies by {:.2} of its mean without the loss", recorded::VARIATION_UNBALANCED));
    says(format!("Requests by expert over {} held-out tokens", recorded::NUM_TOKENS));
    let (early, later, chance) = recorded::EARLY;
    says(format!("already has {early:.1} % of its last experts (mean over layers; chance {chance:.1} %"));
    says(format!("and {later:.1} % after step 1915"));
}

/// The same against the data behind the document, where they are a mean of it.
#[test]
fn recorded_figures_are_those_of_the_data() {
    let data = |name: &str| -> serde_json::Value {
        let path = format!("{}/../docs/measurements/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).expect("data")).expect("JSON")
    };
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let drops = data("drops");
    let curve = |order: &str| {
        let curves = drops["curves"].as_array().expect("curves");
        let is_it =
            |it: &&serde_json::Value| it["domain"] == "all" && it["order"] == order && number(&it["factor"]) == 1.0;
        let found = curves.iter().find(is_it).expect("a curve");
        let of = |field: &str| 100.0 * number(&found["towards_the_end"][field]);
        (of("mean"), 2.0 * of("standard_error"))
    };
    let close =
        |found: f64, recorded: f64, digits: f64| assert!((found - recorded).abs() <= digits, "{found}, {recorded}");
    for (order, (rise, margin)) in [("position", recorded::RISE_IN_ORDER), ("lot", recorded::RISE_BY_LOT)] {
        let found = curve(order);
        close(found.0, rise, 0.051);
        close(found.1, margin, 0.051);
    }
    let load = data("load");
    let variation = |model: &str| {
        let found = load.as_array().expect("models").iter().find(|it| it["model"] == model).expect("a model");
        let layers = found["layers"].as_array().expect("layers");
        layers.iter().map(|layer| number(&layer["variation"])).sum::<f64>() / layers.len() as f64
    };
    close(variation("default"), recorded::VARIATION, 0.0051);
    close(variation("unbalanced"), recorded::VARIATION_UNBALANCED, 0.0051);
    let effective = |model: &str| {
        let found = load.as_array().expect("models").iter().find(|it| it["model"] == model).expect("a model");
        let demands = found["layers"].as_array().expect("layers").iter().map(|layer| {
            let demand = layer["demand"].as_array().expect("experts").iter();
            demand.map(|asked| asked.as_u64().expect("a count") as u32).collect()
        });
        Collapse::of(&demands.collect::<Vec<_>>()).expect("layers").mean()
    };
    close(effective("default"), recorded::EFFECTIVE, 0.0051);
    close(effective("unbalanced"), recorded::EFFECTIVE_UNBALANCED, 0.0051);
}
