//! Rules that mix: Soft MoE, merged experts, DSelect-k, adapters.

use moe_router::gate_probs;
use moe_router::losses;
use moe_router::matrix::{Matrix, dot};
use moe_router::mixing::peft::LoraExpert;
use moe_router::mixing::{expert_merging, peft, soft_moe};
use moe_router::token_choice::dselect_k::{self, Codes};
use moe_router::token_choice::per_sequence;
use moe_trace::GateLogits;

use super::fixture::Node;
use super::gates::matrix;
use super::token_choice::gate_logits;

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let (hidden, gate) = (matrix(&input.at("x")), matrix(&input.at("W")));

    // One slot per expert, whose vectors are the columns of the gate.
    let expected = results.at("soft_moe");
    let logits = soft_moe::logits(&hidden, &gate, 1.0);
    let dispatch = soft_moe::dispatch_weights(&logits, &[]);
    expected.at("logits").close(logits.values().iter().copied());
    expected.at("dispatch").close(dispatch.values().iter().copied());
    expected.at("combine").close(soft_moe::combine_weights(&logits).values().iter().copied());
    expected.at("slots").close(soft_moe::slot_inputs(&dispatch, &hidden).values().iter().copied());
    let raw = hidden.times(&gate);
    expected.at("logits_raw").close(raw.values().iter().copied());
    expected.at("dispatch_raw").close(soft_moe::dispatch_weights(&raw, &[]).values().iter().copied());
    expected.at("combine_raw").close(soft_moe::combine_weights(&raw).values().iter().copied());

    // Linear experts, so that merging can be redone by hand: y = w_e · x.
    let expected = results.at("smear");
    let (experts, sequence_of) = (matrix(&expected.at("expert_weights")), expected.at("seqs").indices());
    let num_sequences = sequence_of.iter().max().map_or(0, |last| last + 1);
    let means = per_sequence::mean_logits(&gate_logits, &sequence_of, num_sequences);
    let route = Matrix::new(gate_logits.num_experts(), gate_probs(&means));
    let merged = expert_merging::merged(&route, &experts);
    expected.at("route").close(route.values().iter().copied());
    expected.at("merged").close(merged.values().iter().copied());
    expected.at("y").close(hidden.rows().zip(&sequence_of).map(|(x, &sequence)| dot(x, merged.row(sequence))));
    let outputs = hidden.times(&experts.transposed());
    let probs = gate_probs(&gate_logits);
    expected.at("y_dense").close(outputs.rows().zip(probs.chunks(outputs.width())).map(|(y, p)| dot(y, p)));

    let expected = results.at("dselect_k");
    let (selectors, mixture) = (expected.at("z").f32s(), expected.at("w").f32s());
    let (k, num_experts) = (input.at("k").number() as usize, gate_logits.num_experts());
    let codes = Codes { selectors: &selectors, mixture: &mixture, k, num_experts, gamma: 1.0 };
    let gate = dselect_k::gate(&codes).expect("finite codes");
    expected.at("smooth").close(gate.bits);
    expected.at("selectors").close(gate.selectors);
    expected.at("alpha").close(gate.mixture);
    expected.at("gates").close(gate.weights);
    expected.at("entropy_reg").close([gate.entropy]);
    expected.at("reach_reg").close([gate.unreachable]);
}

/// Adapters on the first two tokens of the running example; the matrices are those of the documentation.
pub fn check_peft(expected: &Node) {
    let hidden = Matrix::new(3, vec![1.0, 0.5, -0.5, 0.8, 1.0, 0.0]);
    let base = hidden.times(&Matrix::new(2, vec![0.5, -0.2, 0.1, 0.4, -0.3, 0.2]));
    let lora = |down: [f32; 3], up: [f32; 2]| LoraExpert {
        down: Matrix::new(1, down.to_vec()),
        up: Matrix::new(2, up.to_vec()),
    };
    let experts = [lora([0.2, 0.1, -0.1], [0.5, 0.1]), lora([-0.3, 0.2, 0.4], [-0.2, 0.3])];
    let logits = hidden.times(&Matrix::new(2, vec![0.7, -0.1, 0.2, 0.3, 0.0, 0.5]));
    let logits = GateLogits::new(2, logits.values().to_vec()).expect("finite logits");
    let gates = Matrix::new(2, gate_probs(&logits));
    expected.at("p").close(gates.values().iter().copied());
    expected.at("y0").close(base.values().iter().copied());
    expected.at("molora").close(peft::molora(&base, &hidden, &gates, &experts, 16.0).values().iter().copied());
    // Both tokens prefer expert 0; the mask leaves its probability as it is.
    let top_1 = Matrix::new(2, gates.rows().flat_map(|row| [row[0], 0.0]).collect());
    expected.at("molora_top1").close(peft::molora(&base, &hidden, &top_1, &experts, 16.0).values().iter().copied());
    let scalings = Matrix::new(2, vec![1.1, 0.9, 0.8, 1.3]);
    expected.at("mov").close(peft::mov(&base, &gates, &scalings).values().iter().copied());

    let found = losses::localized_balance(&expected.at("omega").f32s(), &[0, 0, 1, 1], &[0, 1], 0.1);
    let expected = expected.at("lbc");
    expected.at("Z").close(found.weighted_importance);
    expected.at("paper").close([found.paper]);
    expected.at("repo").close([found.code]);
}
