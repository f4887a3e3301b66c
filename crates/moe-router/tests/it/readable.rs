//! What a rule decides, a reader of trace files takes: no check of files refuses what a router of ours does.

use moe_router::{Router, rules};
use moe_trace::{
    LayerIdx, LayerTrace, ModelInfo, NextToken, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, Source,
    StepTrace, TokenId, TraceHeader, TraceReader, TracedToken,
};
use proptest::prelude::*;

use crate::common::{seen, text_of_router};
use crate::laws::overflow;

/// Of a model with one layer that was trained with this routing.
fn header(routing: RoutingSpec, num_experts: u32) -> TraceHeader {
    let model = ModelInfo {
        name: "any".to_owned(),
        weights_sha256: "0".repeat(64),
        num_parameters: 1,
        num_active_parameters: 1,
        weights_bytes: 1,
        num_layers: 1,
        num_experts,
        vocab_size: 1,
        max_tokens: 16,
        num_shared_experts: 0,
        training_tokens: None,
        trained_routing: routing,
    };
    let request = RunRequest {
        run: RunId(0),
        prompt: String::new(),
        companions: Vec::new(),
        max_new_tokens: 0,
        sampling: Sampling::Greedy,
        routing,
        group: RoutingGroup::ThisText,
        seed: 0,
        interventions: Vec::new(),
    };
    let top_k = rules::facts(&routing.router).top_k(num_experts);
    TraceHeader::of_run(Source::Recorded, model, request, top_k)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_a_rule_decides_is_read(text in text_of_router(), overflow in overflow(), seen in seen(1..13)) {
        let routing = RoutingSpec { router: rules::parse_router(&text).expect("a complete form"), overflow };
        let num_experts = seen.gate_logits.num_experts();
        let Ok(router) = Router::new(routing, num_experts) else { return Ok(()) };
        let seen = seen.fitting(router.facts());
        let decided = router.route(&seen.input());
        let token = TracedToken::text(TokenId(0), b"a".to_vec(), None);
        let tokens = vec![token; seen.gate_logits.num_tokens()];
        let layer = LayerTrace::decided(LayerIdx(0), seen.gate_logits.clone(), decided);
        let next = NextToken { candidates: Vec::new(), chosen: None };
        let step = StepTrace::of_text(RunId(0), 0, 0, tokens, vec![layer], next);
        let reader = TraceReader::new(header(routing, num_experts as u32));
        let read = reader.map_err(|error| error.to_string()).and_then(|mut reader| {
            reader.read(step.clone().into()).map_err(|error| error.to_string())
        });
        prop_assert_eq!(read, Ok(step), "{}", text);
    }
}
