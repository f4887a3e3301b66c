//! Rules in which tokens choose: requests, slots, losses and metrics of whole routings.

use moe_router::matrix::Matrix;
use moe_router::{Router, RouterInput, gate_probs, losses, metrics};
use moe_trace::{
    CapacitySpec, Fate, GateLogits, Normalise, Overflow, Priority, RouterSpec, Routing, RoutingSpec, SecondExpert,
    SlotOrder, Weighting,
};

use crate::fixture::Node;
use crate::gates::matrix;

/// Gate logits of a case, `[tokens, experts]`.
pub fn gate_logits(case: &Node) -> GateLogits {
    let logits = case.at("input").at("logits");
    GateLogits::new(logits.shape()[1], logits.f32s()).expect("finite logits of the named shape")
}

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    // What the fixture calls logits is the product of what it calls tokens and gate.
    let product = matrix(&input.at("x")).times(&matrix(&input.at("W")));
    input.at("logits").close(product.values().iter().copied());
    let k = input.at("k").number() as u32;
    let slots =
        CapacitySpec { factor: input.at("cf").number() as f32, order: SlotOrder::RankMajor, ..CapacitySpec::default() };
    let position = Overflow::Drop(slots);
    let bpr_max = Overflow::Drop(CapacitySpec { priority: Priority::BprMax, ..slots });
    let bpr_sum = Overflow::Drop(CapacitySpec { priority: Priority::BprSum, ..slots });
    let token_major = Overflow::Drop(CapacitySpec { order: SlotOrder::TokenMajor, ..slots });

    let top_2 = RouterSpec::TopK { k: 2, weighting: Weighting::Norm };
    let top_k = |weighting| RouterSpec::TopK { k, weighting };
    let gshard = |second| RouterSpec::Gshard { second, normalise: Normalise::BeforeDrop };
    let after_drop = RouterSpec::Gshard { second: SecondExpert::Always, normalise: Normalise::AfterDrop };
    let rules = [
        ("switch", RouterSpec::Switch, position),
        ("switch_bpr", RouterSpec::Switch, bpr_max),
        ("gshard_all", gshard(SecondExpert::Always), position),
        ("gshard_gshard", gshard(SecondExpert::Proportional), position),
        ("gshard_random", gshard(SecondExpert::Random { threshold: 0.2 }), position),
        ("gshard_sampling", gshard(SecondExpert::Sampled), position),
        ("gshard_threshold", gshard(SecondExpert::Threshold { threshold: 0.2 }), position),
        ("gshard_norm_after", after_drop, position),
        ("top2_bpr", top_2, bpr_max),
        ("top2_bpr_sum", top_2, bpr_sum),
        ("top2_bpr_norm_after", after_drop, bpr_max),
        ("top2_token_major", top_2, token_major),
        ("topk_softmax_raw", top_k(Weighting::Raw), Overflow::Dropless),
        ("topk_softmax_norm", top_k(Weighting::Norm), Overflow::Dropless),
        ("topk_then_softmax", top_k(Weighting::SoftmaxAfter), Overflow::Dropless),
        ("topk_norm_l2", top_k(Weighting::PNorm { p: 2.0 }), Overflow::Dropless),
        ("topk_capacity", top_k(Weighting::Norm), position),
    ];
    for (name, router, overflow) in rules {
        let expected = results.at(name);
        let uniforms = expected.find("uniforms").map(|uniforms| uniforms.f32s()).unwrap_or_default();
        let gumbels = expected.find("gumbels").map(|gumbels| gumbels.f32s()).unwrap_or_default();
        let router = Router::new(RoutingSpec { router, overflow }, gate_logits.num_experts()).expect("a fitting spec");
        let input = RouterInput::new(&gate_logits).with_uniforms(&uniforms).with_gumbels(&gumbels);
        let routing = router.route(&input);
        if name == "top2_bpr_sum" && gate_logits.num_experts() == 2 {
            // Both experts' probabilities sum to 1 for every token: all tie, and in the oracle rounding decides.
            expected.forgiving(|| check_routing(&expected, &product, &gate_logits, &routing));
        } else {
            check_routing(&expected, &product, &gate_logits, &routing);
        }
    }

    let dense = route(RouterSpec::Dense, position, &gate_logits);
    let expected = results.at("dense");
    expected.at("method").skip();
    expected.at("gates").close(gates(&dense));
    expected.at("importance").close(metrics::importance(&dense));
    expected.at("z_loss").close([losses::z_loss(&gate_logits)]);
    results.at("z_loss").close([losses::z_loss(&gate_logits)]);
}

pub fn route(router: RouterSpec, overflow: Overflow, gate_logits: &GateLogits) -> Routing {
    let router = Router::new(RoutingSpec { router, overflow }, gate_logits.num_experts()).expect("a fitting spec");
    router.route(&RouterInput::new(gate_logits))
}

/// Weights of kept requests as a matrix, `[tokens, experts]`; 0 elsewhere.
pub fn gates(routing: &Routing) -> Vec<f32> {
    let num_experts = routing.num_experts as usize;
    let mut gates = vec![0.0; routing.num_tokens as usize * num_experts];
    for assignment in routing.assignments.iter().filter(|assignment| assignment.fate.is_kept()) {
        gates[assignment.token as usize * num_experts + assignment.expert.index()] = assignment.weight;
    }
    gates
}

/// Everything the fixture says about a routing: records, losses, metrics. `product`: the logits, computed here.
fn check_routing(expected: &Node, product: &Matrix, gate_logits: &GateLogits, routing: &Routing) {
    let probs = gate_probs(gate_logits);
    expected.at("method").skip();
    expected.at("logits").close(product.values().iter().copied());
    expected.at("probs").close(probs.iter().copied());

    // The oracle numbers dropless queues rank-major, we token-major: see `overflow::check` for ours.
    let slots_differ = routing.capacity.is_none();
    let wanted = expected.at("assignments").each();
    assert_eq!(wanted.len(), routing.assignments.len(), "as many records");
    for (want, got) in wanted.iter().zip(&routing.assignments) {
        want.at("token").same([got.token]);
        want.at("rank").same([got.rank]);
        want.at("expert").same([got.expert.0]);
        want.at("weight").close([got.weight]);
        want.at("kept").same([got.fate.is_kept()]);
        want.at("reason").same_text(match got.fate {
            Fate::Lost => "capacity",
            Fate::Skipped => "skipped",
            _ => "",
        });
        if !slots_differ {
            want.at("position").same([got.fate.slot().map_or(-1, i64::from)]);
        } else {
            want.at("position").skip();
        }
    }

    let found = expected.at("losses");
    found.at("switch_top1").close([losses::switch(&probs, routing)]);
    found.at("hf_topk").close([losses::hf_topk(&probs, routing)]);
    found.at("per_choice").close([losses::per_choice(&probs, routing)]);
    found.at("gshard_paper").close([losses::gshard_paper(&probs, routing)]);
    found.at("importance_cv2_probs").close([losses::importance_of_probs(&probs, gate_logits.num_experts())]);
    found.at("z_loss").close([losses::z_loss(gate_logits)]);

    let found = expected.at("metrics");
    let demand = metrics::demand(routing);
    let num_experts = gate_logits.num_experts();
    // The oracle does not stop at one slot per token, as the adopted capacity does.
    let at_most = if routing.capacity.is_some() { gate_logits.num_tokens() as f64 } else { f64::INFINITY };
    let slots = found.at("capacity").number();
    if slots <= at_most {
        found.at("capacity").same([routing.capacity.map_or(-1, i64::from)]);
        found.at("expert_usage").close([metrics::expert_usage(routing).unwrap_or(-1.0)]);
    } else {
        assert_eq!(routing.capacity.map(f64::from), Some(at_most));
        let usage = metrics::expert_usage(routing).unwrap_or(-1.0);
        found.at("expert_usage").close([usage * at_most / slots]);
    }
    found.at("demand").same(demand.iter().copied());
    found.at("load").same(metrics::load(routing));
    found.at("overflow").same(metrics::overflow(routing));
    found.at("importance_kept").close(metrics::importance(routing));
    found.at("fraction_dropped").close([metrics::fraction_dropped(routing)]);
    found.at("fraction_tokens_unserved").close([metrics::fraction_tokens_unserved(routing)]);
    found.at("router_confidence").close([metrics::router_confidence(routing)]);
    found.at("demand_cv").close([metrics::demand_cv(&demand)]);
    found.at("demand_max_over_mean").close([metrics::max_over_mean(&demand)]);
    found.at("demand_maxvio").close([metrics::max_violation(&demand)]);
    found.at("entropy_mean").close([metrics::entropy_mean(&probs, num_experts)]);
    found.at("entropy_normalised").close([metrics::entropy_normalised(&probs, num_experts)]);
}
