//! What a kept state is like: loss of held-out text, a probe's routes, the gates, a text that the model writes.

use burn::module::Module;
use burn::tensor::{DType, Int, Tensor, TensorData};
use moe_learn::{chance, held_out, reshape};
use moe_model::read_back::read;
use moe_model::reference::{self, Forward};
use moe_model::sample::{Expectation, Seeded, num_considered};
use moe_model::{RoutingInputs, TensorError, Weights};
use moe_trace::training::{GateWeights, KindOfText, SnapshotId, TrainSnapshot};
use moe_trace::{Decision, LayerIdx, LayerTrace, Sampling};

use crate::training::Training;

/// Bytes that the model writes.
const SAMPLE: usize = 48;

/// How it writes.
const SAMPLING: Sampling = Sampling::Random { temperature: 0.7, top_k: 0, top_p: 0.95 };

pub async fn snapshot(training: &Training, snapshot: SnapshotId) -> Result<TrainSnapshot, TensorError> {
    let Training { request, learner, next_step, .. } = training;
    let weights = learner.weights.valid();
    let num_tokens = request.num_tokens as usize;
    let found = held_out::by_domain(learner, training.corpus(), num_tokens).await?;
    let held_out = held_out::mean(&found);
    let kinds = training.corpus().domains.iter().zip(found);
    let kinds =
        kinds.map(|(domain, of)| KindOfText { name: domain.name.clone(), held_out: of.nats, demand: of.demand });
    // A text of nothing has no routes; it is begun by a line's end.
    let bytes = if request.probe.is_empty() { b"\n" } else { request.probe.as_bytes() };
    let probe: Vec<u8> = bytes.iter().copied().take(num_tokens).collect();
    let forward = forward(training, &weights, &probe).await?;
    Ok(TrainSnapshot {
        run: request.run,
        snapshot,
        num_steps: *next_step,
        held_out,
        held_out_bits_per_byte: held_out / std::f32::consts::LN_2,
        kinds: kinds.collect(),
        probe_layers: layers(&forward),
        gates: gates(&weights).await?,
        spread: spread(&weights).await?,
        sample: sample(training, &weights, probe.clone()).await?,
        probe_tokens: probe.iter().map(|&byte| vec![byte]).collect(),
    })
}

/// One sequence, as it is routed when nobody learns.
async fn forward(training: &Training, weights: &Weights, text: &[u8]) -> Result<Forward, TensorError> {
    let learner = &training.learner;
    let ids: Vec<i32> = text.iter().map(|&byte| i32::from(byte)).collect();
    let token_ids: Vec<u32> = text.iter().map(|&byte| u32::from(byte)).collect();
    let draws = chance::at_inference(learner.rule.spec(), text.len(), &learner.config);
    let inputs = |layer: usize, _| -> RoutingInputs { draws[layer].at(0..text.len(), &token_ids) };
    let ids: Tensor<2, Int> = Tensor::from_data(TensorData::new(ids, [1, text.len()]), (&learner.device, DType::I32));
    reference::forward(weights, &learner.config, ids, learner.rule, &inputs).await
}

fn layers(forward: &Forward) -> Vec<LayerTrace> {
    let of_layer = |(number, layer): (usize, &reference::LayerOutcome)| LayerTrace {
        layer: LayerIdx(number as u32),
        rows: None,
        gate_logits: Some(layer.gate_values[0].clone()),
        gate_probs: None,
        selection_scores: None,
        selection_bias: None,
        // What a rule mixes is no decision about requests.
        decision: layer.routings.first().cloned().map(Decision::Routing),
        output_norms: None,
    };
    forward.layers.iter().enumerate().map(of_layer).collect()
}

async fn gates(weights: &Weights) -> Result<Vec<GateWeights>, TensorError> {
    let mut gates = Vec::with_capacity(weights.blocks.len());
    for (number, block) in weights.blocks.iter().enumerate() {
        let columns = block.gate.columns().val();
        let [_, num_experts] = columns.dims();
        let values = read(columns.transpose()).await?;
        gates.push(GateWeights { layer: LayerIdx(number as u32), num_experts: num_experts as u32, values });
    }
    Ok(gates)
}

/// How far each layer's experts are from each other.
async fn spread(weights: &Weights) -> Result<Vec<f32>, TensorError> {
    let mut spread = Vec::with_capacity(weights.blocks.len());
    for block in &weights.blocks {
        let mut matrices = Vec::with_capacity(3);
        let [num_experts, ..] = block.experts.w_gate.val().dims();
        for matrix in [&block.experts.w_gate, &block.experts.w_up, &block.experts.w_down] {
            matrices.push(read(matrix.val()).await?);
        }
        spread.push(reshape::spread(&matrices, num_experts));
    }
    Ok(spread)
}

/// What the model writes behind a text. The same state writes the same.
async fn sample(training: &Training, weights: &Weights, mut text: Vec<u8>) -> Result<String, TensorError> {
    let window = training.request.num_tokens as usize;
    let mut seeded = Seeded::new(training.request.seed);
    let begin = text.len();
    for _ in 0..SAMPLE {
        let seen = &text[text.len().saturating_sub(window)..];
        let logits = forward(training, weights, seen).await?.logits;
        let logits = read(logits.narrow(1, seen.len() - 1, 1)).await?;
        let ranked = Expectation::new(&logits).first(num_considered(SAMPLING));
        text.push(seeded.sample(&ranked, SAMPLING).id as u8);
    }
    Ok(String::from_utf8_lossy(&text[begin..]).into_owned())
}
