//! Rules in which tokens choose: requests, slots, losses and metrics of whole routings.

use moe_router::dispatch::dispatch;
use moe_router::matrix::Matrix;
use moe_router::token_choice::top_k;
use moe_router::{Router, RouterInput, gate_probs, losses, metrics};
use moe_trace::{
    Assignment, CapacitySpec, Fate, GateLogits, Normalise, Overflow, Priority, RouterSpec, Routing, RoutingSpec,
    SecondExpert, SlotOrder, Weighting,
};

use super::fixture::Node;
use super::gates::matrix;
use super::ties;

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
    let factor = input.at("cf").number() as f32;
    // A factor of 0 is no spec; the slots are then given as such. The oracle's least is 0, ours on request.
    let factor = if factor > 0.0 { factor } else { 1e-30 };
    let slots = CapacitySpec { factor, minimum: 0, order: SlotOrder::RankMajor, ..CapacitySpec::default() };
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
        let spec = RoutingSpec { router, overflow };
        let made = Router::new(spec, gate_logits.num_experts()).expect("a fitting spec");
        let routing = made.route(&RouterInput::new(&gate_logits).with_uniforms(&uniforms).with_gumbels(&gumbels));
        check_routing(&expected, &product, &gate_logits, &routing, &Ties::of(&expected, spec));
        if let (RouterSpec::TopK { k, weighting }, Overflow::Dropless) = (router, overflow) {
            check_queues(&expected, &gate_logits, k as usize, weighting);
        }
    }

    let dense = route(RouterSpec::Dense, position, &gate_logits);
    let expected = results.at("dense");
    expected.at("method").skip();
    expected.at("gates").close(gates(&dense));
    expected.at("importance").close(metrics::importance(&dense));
    expected.at("z_loss").close([losses::z_loss(&gate_logits, &[])]);
    results.at("z_loss").close([losses::z_loss(&gate_logits, &[])]);
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

/// Which tokens of a routing decided between near equals.
struct Ties {
    /// `[tokens]`: which experts to ask, or whether to ask the second.
    choices: Vec<bool>,
    /// `[tokens]`: who is served first. Neighbours may change places and nobody else.
    priority: Vec<bool>,
}

impl Ties {
    /// By the oracle's own numbers.
    fn of(expected: &Node, spec: RoutingSpec) -> Ties {
        let logits = expected.at("logits").rows();
        let probs = expected.at("probs").rows();
        let num_experts = logits[0].len();
        let k = moe_router::rules::facts(&spec.router).k(num_experts);
        let mut choices = ties::top_k(&logits, k);
        if let RouterSpec::Gshard { second, .. } = spec.router {
            // The normalised probability of the second choice, and what it is compared with.
            let g2 = probs.iter().map(|probs| {
                let best = moe_router::gate::top_k(probs, 2);
                probs[best[1]] / (probs[best[0]] + probs[best[1]])
            });
            let uniforms = expected.find("uniforms").map(|uniforms| uniforms.numbers()).unwrap_or_default();
            for (token, g2) in g2.enumerate() {
                choices[token] |= match second {
                    SecondExpert::Always | SecondExpert::Never => false,
                    SecondExpert::Threshold { .. } => ties::near(g2, 0.2),
                    SecondExpert::Random { .. } => ties::near(g2 / 0.2, uniforms[token]),
                    SecondExpert::Proportional => ties::near(2.0 * g2, uniforms[token]),
                    SecondExpert::Sampled => {
                        let gumbels = expected.at("gumbels").rows();
                        let first = moe_router::gate::top_k(&logits[token], 1)[0];
                        let others = (0..num_experts).filter(|&expert| expert != first);
                        let keys: Vec<f64> =
                            others.map(|expert| logits[token][expert] + gumbels[token][expert]).collect();
                        ties::top_is_tied(&keys, 1, ties::near_scores)
                    }
                };
            }
        }
        let sorted =
            |probs: &Vec<f64>| moe_router::gate::top_k(probs, k).into_iter().map(|e| probs[e]).collect::<Vec<f64>>();
        let priority = match spec.overflow {
            Overflow::Drop(CapacitySpec { priority: Priority::BprMax, .. }) => {
                ties::neighbours(&probs.iter().map(|probs| sorted(probs)[0]).collect::<Vec<f64>>())
            }
            Overflow::Drop(CapacitySpec { priority: Priority::BprSum, .. }) => {
                ties::neighbours(&probs.iter().map(|probs| sorted(probs).iter().sum()).collect::<Vec<f64>>())
            }
            _ => vec![false; probs.len()],
        };
        Ties { choices, priority }
    }
}

/// Everything the fixture says about a routing: records, losses, metrics. `product`: the logits, computed here.
fn check_routing(expected: &Node, product: &Matrix, gate_logits: &GateLogits, routing: &Routing, ties: &Ties) {
    expected.at("method").skip();
    expected.at("logits").close(product.values().iter().copied());
    expected.at("probs").close(gate_probs(gate_logits));
    check_records(expected, &routing.assignments, ties, routing.capacity.is_some());
    check_losses(&expected.at("losses"), gate_logits, routing, ties);
    check_metrics(&expected.at("metrics"), gate_logits, routing, ties);
}

fn check_records(expected: &Node, found: &[Assignment], ties: &Ties, has_slots: bool) {
    let wanted = expected.at("assignments");
    wanted.same_len(found.len());
    for (want, got) in wanted.each().iter().zip(found) {
        let token = got.token as usize;
        // A choice moves the queue of two experts; a priority changes the places of two tokens.
        let (choice, place) = (ties.choices[token], ties::any(&ties.choices) || ties.priority[token]);
        want.at("token").same([got.token]);
        want.at("rank").same([got.rank]);
        want.at("expert").unless(choice).same([got.expert.0]);
        // Renormalised weights depend on who was kept.
        want.at("weight").unless(choice || place && has_slots).close([got.weight]);
        want.at("kept").unless(choice || place && has_slots).same([got.fate.is_kept()]);
        want.at("reason").unless(choice || place && has_slots).same_text(match got.fate {
            Fate::Lost => "capacity",
            Fate::Skipped => "skipped",
            _ => "",
        });
        // The oracle numbers dropless queues rank-major, we token-major: `check_queues` compares them.
        if has_slots {
            want.at("position").unless(place).same([got.fate.slot().map_or(-1, i64::from)]);
        }
    }
}

/// Places in dropless queues, counted as the oracle does.
fn check_queues(expected: &Node, gate_logits: &GateLogits, k: usize, weighting: Weighting) {
    let is_tied = ties::any(&ties::top_k(&expected.at("logits").rows(), k));
    let in_order: Vec<usize> = (0..gate_logits.num_tokens()).collect();
    let requests = top_k::requests(gate_logits, k, weighting);
    let found = dispatch(&requests, gate_logits.num_experts(), &in_order, SlotOrder::RankMajor, None);
    for (want, got) in expected.at("assignments").each().iter().zip(found) {
        want.at("position").unless(is_tied).same([got.fate.slot().map_or(-1, i64::from)]);
    }
}

fn check_losses(found: &Node, gate_logits: &GateLogits, routing: &Routing, ties: &Ties) {
    let probs = gate_probs(gate_logits);
    let counted = found.unless(ties::any(&ties.choices));
    counted.at("switch_top1").close([losses::switch(&probs, routing)]);
    counted.at("hf_topk").close([losses::hf_topk(&probs, routing)]);
    counted.at("per_choice").close([losses::per_choice(&probs, routing)]);
    counted.at("gshard_paper").close([losses::gshard_paper(&probs, routing)]);
    found.at("importance_cv2_probs").close([losses::importance_of_probs(&probs, gate_logits.num_experts(), &[])]);
    found.at("z_loss").close([losses::z_loss(gate_logits, &[])]);
}

fn check_metrics(found: &Node, gate_logits: &GateLogits, routing: &Routing, ties: &Ties) {
    let (probs, num_experts) = (gate_probs(gate_logits), gate_logits.num_experts());
    let demand = metrics::demand(routing);
    let asked = found.unless(ties::any(&ties.choices));
    let served = asked.unless(ties::any(&ties.priority));
    // The oracle does not stop at one slot per token, as the adopted capacity does.
    let at_most = if routing.capacity.is_some() { gate_logits.num_tokens() as f64 } else { f64::INFINITY };
    let slots = found.at("capacity").number();
    if slots <= at_most {
        found.at("capacity").same([routing.capacity.map_or(-1, i64::from)]);
        served.at("expert_usage").close([metrics::expert_usage(routing).unwrap_or(-1.0)]);
    } else {
        assert_eq!(routing.capacity.map(f64::from), Some(at_most), "as many slots as tokens");
        let usage = metrics::expert_usage(routing).unwrap_or(-1.0);
        served.at("expert_usage").close([usage * at_most / slots]);
    }
    asked.at("demand").same(demand.iter().copied());
    served.at("load").same(metrics::load(routing));
    asked.at("overflow").same(metrics::overflow(routing));
    served.at("importance_kept").close(metrics::importance(routing));
    asked.at("fraction_dropped").close([metrics::fraction_dropped(routing)]);
    served.at("fraction_tokens_unserved").close([metrics::fraction_tokens_unserved(routing)]);
    served.at("router_confidence").close([metrics::router_confidence(routing)]);
    asked.at("demand_cv").close([metrics::demand_cv(&demand)]);
    asked.at("demand_max_over_mean").close([metrics::max_over_mean(&demand)]);
    asked.at("demand_maxvio").close([metrics::max_violation(&demand)]);
    found.at("entropy_mean").close([metrics::entropy_mean(&probs, num_experts)]);
    found.at("entropy_normalised").close([metrics::entropy_normalised(&probs, num_experts)]);
}
