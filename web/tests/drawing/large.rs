//! Large traces: what is drawn of them grows with what there is to see, and all of it is there as tables too.

use moe_router::draws::SplitMix64;
use moe_router::{Router, RouterInput};
use moe_trace::{
    BackendChoice, GateLogits, LayerIdx, LayerTrace, ModelInfo, NextToken, RoutingGroup, RoutingSpec, Source,
    StepTrace, TokenId, TraceFile, TraceHeader, TracedToken,
};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::state::{State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// A run of one step with so many tokens, layers and experts.
fn trace(num_tokens: usize, num_layers: usize, num_experts: usize) -> TraceFile {
    let routing = RoutingSpec::default();
    let router = Router::new(routing, num_experts).expect("valid");
    let layers = (0..num_layers).map(|layer| {
        let mut draws = SplitMix64::new(layer as u64 + 1);
        let values = (0..num_tokens * num_experts).map(|_| 2.0 * draws.normal() as f32).collect();
        let gate_logits = GateLogits::new(num_experts, values).expect("whole rows");
        let routing = router.route(&RouterInput::new(&gate_logits));
        LayerTrace::decided(LayerIdx(layer as u32), gate_logits, routing)
    });
    let token = |at: usize| TracedToken::text(TokenId(at as u32 % 50), format!(" w{}", at % 50).into_bytes(), None);
    let next = NextToken { candidates: Vec::new(), chosen: None };
    let request = fixture::request(routing, RoutingGroup::ThisText, 0);
    let model = ModelInfo {
        num_layers: num_layers as u32,
        num_experts: num_experts as u32,
        max_tokens: 4096,
        ..fixture::model()
    };
    let tokens = (0..num_tokens).map(token).collect();
    let step = StepTrace::of_text(request.run, 0, 0, tokens, layers.collect(), next);
    assert_eq!(replay::problem(&step), None, "the page takes it");
    TraceFile { header: TraceHeader::of_run(Source::Imported, model, request, Some(2)), steps: vec![step] }
}

fn drawn(view: &'static str, file: TraceFile) -> String {
    html::<Page>(move || {
        let (config, errors) = Config::read(|name| (name == "view").then(|| view.to_owned()));
        assert_eq!(errors, []);
        let config = Config { backend: BackendChoice::Recorded, ..config };
        let actions = [replay::began(file.header).expect("a run of ours")].into_iter();
        let actions = actions.chain(file.steps.into_iter().map(replay::step)).chain([replay::finished()]);
        let state = actions.fold(State::new(config, Vec::new()).0, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

/// Shapes in the paths of these classes.
fn shapes(html: &str, class: &str) -> usize {
    let paths = html.split("<path ").skip(1).filter(|path| path.split('>').next().unwrap_or_default().contains(class));
    paths.map(|path| path.split('>').next().unwrap_or_default().matches('M').count()).sum()
}

#[test]
fn many_experts_are_a_ground_and_those_that_were_asked() {
    let (tokens, layers, experts) = (512, 8, 64);
    let html = drawn("layers", trace(tokens, layers, experts));
    let cells = shapes(&html, "cell-");
    // A rectangle of ground for each token in each layer; of the rest the softmax leaves few above a tenth, at most ten.
    assert!(cells >= layers * tokens && cells < layers * tokens * 4, "{cells} of {}", layers * tokens * experts);
    // Each token asks two.
    assert_eq!(
        shapes(&html, "mark-first")
            + shapes(&html, "mark-second")
            + shapes(&html, "mark-lost")
            + shapes(&html, "mark-dropped"),
        2 * layers * tokens
    );
    // As for few experts, each is there.
    let few = drawn("layers", trace(64, 2, 8));
    assert_eq!(shapes(&few, "cell-"), 64 * 2 * 8);
}

#[test]
fn what_is_drawn_is_linear_in_the_text() {
    let size = |tokens: usize| drawn("strip layers lanes load", trace(tokens, 4, 32)).len() as f64;
    let (one, two, four) = (size(128), size(256), size(512));
    assert!((four - two) / (two - one) < 2.2, "{one}, {two}, {four} bytes");
}

#[test]
fn thousands_of_experts_are_one_picture_and_one_table() {
    let (layers, experts) = (76, 256);
    let html = drawn("experts", trace(13, layers, experts));
    assert!(html.contains("All 19456 experts of the model at this step"), "{}", &html[..2000]);
    let grid = html.split("class=\"model-grid\"").nth(1).and_then(|it| it.split("</figure>").next()).expect("a grid");
    assert!(grid.contains("width=\"1024\" height=\"456\""), "it fits a screen");
    assert!(
        grid.matches("<path").count() <= 10 && grid.matches('<').count() < 40,
        "nodes: {}",
        grid.matches('<').count()
    );
    // The page of the layer has its glyphs, sixteen in a row.
    assert!(html.contains("expert-grid is-of-16") && html.matches("class=\"expert-glyph").count() == experts);
}
