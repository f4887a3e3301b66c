//! A layer whose rule mixes, on the tensor graph: Soft MoE blends tokens into slots, SMEAR experts into one per sequence.
//!
//! Both as [`moe_router::mixing`] has them on plain matrices, of gate logits as they come; a test holds them equal. Neither
//! is causal: a token's output depends on tokens behind it.

use burn::tensor::Tensor;
use burn::tensor::activation::{silu, softmax};
use moe_router::{Mixer, RouterInput};
use moe_trace::{GateLogits, MixerSpec};

use super::moe::LayerOutcome;
use crate::forms::experts::Experts;
use crate::read_back::{TensorError, read};
use crate::weights::Block;

/// Is the rule one of those that are computed here?
pub fn computes(rule: &MixerSpec) -> bool {
    matches!(rule, MixerSpec::SoftMoe { .. } | MixerSpec::Smear)
}

/// `x`: `[sequences, tokens, d_model]`, normed. Gives what [`layer`](super::layer) gives; the outcome has no routings.
pub async fn layer(
    block: &Block,
    x: Tensor<3>,
    mixer: &Mixer,
    number: usize,
) -> Result<(Tensor<3>, LayerOutcome), TensorError> {
    let [num_sequences, num_tokens, _] = x.dims();
    let gate_logits = block.gate.forward(x.clone());
    let [_, _, num_columns] = gate_logits.dims();
    let values = read(gate_logits.clone()).await?;
    let (mut gate_values, mut mixings) = (Vec::with_capacity(num_sequences), Vec::with_capacity(num_sequences));
    for (sequence, values) in values.chunks(num_tokens * num_columns).enumerate() {
        let of_place = |error: String| TensorError(format!("layer {number}, sequence {sequence}: {error}"));
        let logits = GateLogits::new(num_columns, values.to_vec()).map_err(|error| of_place(error.to_string()))?;
        mixings.push(mixer.mix(&RouterInput::new(&logits)).map_err(|error| of_place(error.to_string()))?);
        gate_values.push(logits);
    }
    let mut y = match mixer.spec() {
        MixerSpec::SoftMoe { slots } => soft(&block.experts, x.clone(), gate_logits.clone(), *slots as usize),
        MixerSpec::Smear => merged(&block.experts, x.clone(), gate_logits.clone()),
        other => return Err(TensorError(format!("{other:?} is not computed on whole feed-forwards"))),
    };
    if let Some(shared) = &block.shared_experts {
        y = y + shared.forward(x.clone());
    }
    let output = y.clone();
    Ok((y, LayerOutcome { hidden: x, output, gate_logits, gate_values, routings: Vec::new(), mixings }))
}

/// Soft MoE (arXiv:2308.00951, section 2.1): `C · experts(Dᵀ X)`, `D` softmax over tokens, `C` over slots.
///
/// `z`: `[sequences, tokens, experts · slots]`, a column per slot, those of an expert side by side.
fn soft(experts: &Experts, x: Tensor<3>, z: Tensor<3>, slots: usize) -> Tensor<3> {
    let [num_sequences, _, d_model] = x.dims();
    let num_columns = z.dims()[2];
    let num_experts = num_columns / slots;
    let (dispatch, combine) = (softmax(z.clone(), 1), softmax(z, 2));
    let taken = dispatch.transpose().matmul(x);
    // [sequences, experts · slots, d_model] -> [experts, sequences · slots, d_model], and back.
    let taken = taken.reshape([num_sequences, num_experts, slots, d_model]).swap_dims(0, 1);
    let outputs = experts.forward(taken.reshape([num_experts, num_sequences * slots, d_model]));
    let outputs = outputs.reshape([num_experts, num_sequences, slots, d_model]).swap_dims(0, 1);
    combine.matmul(outputs.reshape([num_sequences, num_columns, d_model]))
}

/// SMEAR (arXiv:2306.03745): the experts' weights averaged by the softmax of a sequence's mean logits.
///
/// `z`: `[sequences, tokens, experts]`.
fn merged(experts: &Experts, x: Tensor<3>, z: Tensor<3>) -> Tensor<3> {
    let [num_sequences, _, num_experts] = z.dims();
    let shares = softmax(z.mean_dim(1), 2).reshape([num_sequences, num_experts]);
    let merged = |matrix: Tensor<3>| {
        let [_, rows, columns] = matrix.dims();
        let merged = shares.clone().matmul(matrix.reshape([num_experts, rows * columns]));
        merged.reshape([num_sequences, rows, columns])
    };
    let hidden = silu(x.clone().matmul(merged(experts.w_gate.val()))) * x.matmul(merged(experts.w_up.val()));
    hidden.matmul(merged(experts.w_down.val()))
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::optim::GradientsParams;
    use burn::tensor::{Device, TensorData};
    use moe_router::matrix::Matrix;
    use moe_router::mixing::{expert_merging, soft_moe};
    use moe_trace::Mixing;

    use super::*;
    use crate::config::ModelConfig;
    use crate::weights::Weights;

    const NUM_TOKENS: usize = 5;

    /// A block, two sequences of hidden states, and what a rule makes of them.
    struct Example {
        config: ModelConfig,
        block: Block,
        x: Vec<f32>,
        y: Vec<f32>,
        outcome: LayerOutcome,
        mixer: Mixer,
    }

    fn example(spec: MixerSpec, num_experts: usize) -> Example {
        let config = ModelConfig { num_experts: 4, num_layers: 1, ..ModelConfig::tiny() };
        let device = Device::flex();
        let mut block = Weights::random(&config, 5, &device).blocks.remove(0);
        // A gate of so many columns over fewer experts: those of an expert side by side.
        block.experts = ModelConfig { num_experts, ..config.clone() }
            .experts()
            .init(&mut crate::forms::initial::Initial::random(7, 1, &device));
        let x: Vec<f32> = (0..2 * NUM_TOKENS * config.d_model).map(|at| ((at * 7) % 23) as f32 / 6.0 - 2.0).collect();
        let mixer = Mixer::new(spec, 4).expect("four columns");
        let tensor = Tensor::from_data(TensorData::new(x.clone(), [2, NUM_TOKENS, config.d_model]), &device);
        let (y, outcome) = pollster::block_on(layer(&block, tensor, &mixer, 0)).expect("it is computed");
        let y = pollster::block_on(read(y)).expect("it is read back");
        Example { config, block, x, y, outcome, mixer }
    }

    fn values(parameter: &Param<Tensor<3>>) -> Vec<f32> {
        pollster::block_on(read(parameter.val())).expect("parameters are read back")
    }

    /// SwiGLU on plain matrices: the three matrices of an expert, side by side, and the rows that it is given.
    fn feed_forward(expert: &[f32], rows: &Matrix, d_model: usize, d_expert: usize) -> Matrix {
        let (w_gate, rest) = expert.split_at(d_model * d_expert);
        let (w_up, w_down) = rest.split_at(d_model * d_expert);
        let times = |rows: &Matrix, width: usize, values: &[f32]| rows.times(&Matrix::new(width, values.to_vec()));
        let (gate, up) = (times(rows, d_expert, w_gate), times(rows, d_expert, w_up));
        let hidden = gate.values().iter().zip(up.values()).map(|(z, up)| z / (1.0 + (-z).exp()) * up).collect();
        times(&Matrix::new(d_expert, hidden), d_model, w_down)
    }

    impl Example {
        /// Of each expert, all its weights.
        fn experts(&self, num_experts: usize) -> Matrix {
            let matrices =
                [&self.block.experts.w_gate, &self.block.experts.w_up, &self.block.experts.w_down].map(values);
            let size = self.config.d_model * self.config.d_expert;
            let expert = |expert: usize| matrices.iter().flat_map(move |all| all[expert * size..][..size].to_vec());
            Matrix::new(3 * size, (0..num_experts).flat_map(expert).collect())
        }

        fn check(&self, expected: impl Fn(usize, &Matrix) -> Matrix) {
            let len = NUM_TOKENS * self.config.d_model;
            for sequence in 0..2 {
                let x = Matrix::new(self.config.d_model, self.x[sequence * len..][..len].to_vec());
                let expected = expected(sequence, &x);
                for (found, expected) in self.y[sequence * len..][..len].iter().zip(expected.values()) {
                    assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} is not {expected}");
                }
            }
            assert!(self.y.iter().any(|y| y.abs() > 1e-3));
        }
    }

    #[test]
    fn soft_moe_is_what_the_router_mixes() {
        for slots in [1, 2] {
            let num_experts = 4 / slots as usize;
            let at = example(MixerSpec::SoftMoe { slots }, num_experts);
            let (d_model, d_expert) = (at.config.d_model, at.config.d_expert);
            let experts = at.experts(num_experts);
            at.check(|sequence, x| {
                let logits = Matrix::new(4, at.outcome.gate_values[sequence].values().to_vec());
                let taken = soft_moe::slot_inputs(&soft_moe::dispatch_weights(&logits, &[]), x);
                let outputs = taken.rows().enumerate().flat_map(|(slot, row)| {
                    let row = Matrix::new(d_model, row.to_vec());
                    feed_forward(experts.row(slot / slots as usize), &row, d_model, d_expert).values().to_vec()
                });
                soft_moe::output(&soft_moe::combine_weights(&logits), &Matrix::new(d_model, outputs.collect()))
            });
        }
    }

    #[test]
    fn smear_is_what_the_router_merges() {
        let at = example(MixerSpec::Smear, 4);
        let experts = at.experts(4);
        at.check(|sequence, x| {
            let input = RouterInput::new(&at.outcome.gate_values[sequence]);
            let Ok(Mixing::Merged { shares, .. }) = at.mixer.mix(&input) else { panic!("one expert per sequence") };
            let merged = expert_merging::merged(&Matrix::new(4, shares), &experts);
            feed_forward(merged.row(0), x, at.config.d_model, at.config.d_expert)
        });
    }

    #[test]
    fn every_parameter_of_the_layer_has_a_gradient() {
        struct Squares<'a>(&'a GradientsParams, Vec<f32>);
        impl ModuleVisitor for Squares<'_> {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
                let gradient = self.0.get::<D>(parameter.id);
                self.1.push(gradient.map_or(0.0, |gradient| gradient.square().sum().into_scalar::<f32>()));
            }
        }
        for spec in [MixerSpec::SoftMoe { slots: 1 }, MixerSpec::Smear] {
            let device = Device::flex().autodiff();
            let config = ModelConfig { num_layers: 1, ..ModelConfig::tiny() };
            let block = Weights::random(&config, 5, &device).blocks.remove(0);
            let values: Vec<f32> = (0..80).map(|at| (at % 7) as f32 / 3.0 - 1.0).collect();
            let x = Tensor::from_data(TensorData::new(values, [1, 5, 16]), &device);
            let mixer = Mixer::new(spec, 4).expect("four experts");
            let (y, _) = pollster::block_on(layer(&block, x, &mixer, 0)).expect("it is computed");
            let gradients = GradientsParams::from_grads(y.square().sum().backward(), &block);
            let mut found = Squares(&gradients, Vec::new());
            block.gate.visit(&mut found);
            block.experts.visit(&mut found);
            assert!(found.1.len() == 4 && found.1.iter().all(|square| *square > 0.0), "{spec:?}: {:?}", found.1);
        }
    }
}
