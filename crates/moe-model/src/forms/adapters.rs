//! Small experts beside the frozen feed-forward of each layer: LoRA experts (MoLoRA, arXiv:2309.05444; LoRAMoE,
//! arXiv:2312.09979) or vectors that scale its output (MoV, arXiv:2309.05444), blended for each token by a gate of their
//! own.
//!
//! As [`moe_router::mixing::peft`] has them on plain matrices; a test holds them equal. In the papers adapters stand at
//! single projections; here at a layer's whole feed-forward, which is many experts already, as the survey by Cai et al.
//! (arXiv:2407.06204, eq. 12) draws it. Adapters that have learned nothing change nothing, to the last bit.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::initial::Initial;
use crate::tensors::matmul_shared;

/// Which kind of adapters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AdapterForm {
    /// `y + alpha / rank · Σ_e p_e · x · A_e · B_e`.
    Lora { rank: usize, alpha: f32, gate_bias: bool },
    /// `y ⊙ Σ_e p_e · l_e`; the gate reads `y`.
    Vectors,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptersConfig {
    pub d_model: usize,
    pub num_layers: usize,
    /// Of each layer.
    pub num_adapters: usize,
    pub form: AdapterForm,
}

/// All that is trained: the adapters of every layer.
#[derive(Module, Debug)]
pub struct Adapters {
    pub layers: Vec<LayerAdapters>,
}

/// The adapters of a layer and their gate.
#[derive(Module, Debug)]
pub struct LayerAdapters {
    /// `[d_model, adapters]`
    pub gate: Param<Tensor<2>>,
    /// `[adapters]`
    pub gate_bias: Option<Param<Tensor<1>>>,
    pub experts: AdapterExperts,
}

#[derive(Module, Debug)]
pub enum AdapterExperts {
    Lora(LoraExperts),
    Vectors(VectorExperts),
}

/// Thin pairs of matrices, those of an expert side by side.
#[derive(Module, Debug)]
pub struct LoraExperts {
    /// `A`, `[d_model, adapters · rank]`
    pub down: Param<Tensor<2>>,
    /// `B`, `[adapters · rank, d_model]`, zero at first.
    pub up: Param<Tensor<2>>,
    /// `alpha / rank`
    #[module(skip)]
    pub scale: f64,
}

/// A vector for each expert.
#[derive(Module, Debug)]
pub struct VectorExperts {
    /// `l_e - 1`, `[adapters, d_model]`, zero at first: the shares sum to 1 only nearly, and 0 times them is 0 exactly.
    pub change: Param<Tensor<2>>,
}

/// Deviation of a gate's weights at first; ours, as the papers leave it to their frameworks.
const GATE_STD: f64 = 0.02;

/// Deviation of `A` at first, as in the code of arXiv:2309.05444.
const DOWN_STD: f64 = 0.02;

impl AdaptersConfig {
    /// Adapters that have learned nothing. The same seed gives the same ones on every device.
    pub fn init(&self, seed: u64, device: &Device) -> Adapters {
        let AdaptersConfig { d_model, num_layers, num_adapters, form } = *self;
        let mut initial = Initial::random(seed, num_layers, device);
        let layer = |_: usize| {
            let gate = initial.normal([d_model, num_adapters], GATE_STD);
            let has_bias = !matches!(form, AdapterForm::Lora { gate_bias: false, .. });
            let gate_bias = has_bias.then(|| initial.constant([num_adapters], 0.0));
            let experts = match form {
                AdapterForm::Lora { rank, alpha, .. } => AdapterExperts::Lora(LoraExperts {
                    down: initial.normal([d_model, num_adapters * rank], DOWN_STD),
                    up: initial.constant([num_adapters * rank, d_model], 0.0),
                    scale: f64::from(alpha) / rank as f64,
                }),
                AdapterForm::Vectors => {
                    AdapterExperts::Vectors(VectorExperts { change: initial.constant([num_adapters, d_model], 0.0) })
                }
            };
            LayerAdapters { gate, gate_bias, experts }
        };
        Adapters { layers: (0..num_layers).map(layer).collect() }
    }

    /// Of all layers.
    pub fn num_parameters(&self) -> usize {
        let AdaptersConfig { d_model, num_layers, num_adapters, form } = *self;
        let of_expert = match form {
            AdapterForm::Lora { rank, gate_bias, .. } => 2 * d_model * rank + usize::from(gate_bias),
            AdapterForm::Vectors => d_model + 1,
        };
        num_layers * num_adapters * (d_model + of_expert)
    }
}

impl LayerAdapters {
    /// What they make of a layer's output, and the share that each had: `[sequences, tokens, d_model]`,
    /// `[sequences, tokens, adapters]`.
    ///
    /// `x`: what the frozen feed-forward read, normed; `y`: what it gave. Both `[sequences, tokens, d_model]`.
    pub fn forward(&self, x: Tensor<3>, y: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        match &self.experts {
            AdapterExperts::Lora(experts) => {
                let shares = self.shares(x.clone());
                (y + experts.forward(x, shares.clone()), shares)
            }
            AdapterExperts::Vectors(experts) => {
                let shares = self.shares(y.clone());
                let change = matmul_shared(shares.clone(), experts.change.val());
                (y.clone() + y * change, shares)
            }
        }
    }

    fn shares(&self, x: Tensor<3>) -> Tensor<3> {
        let logits = matmul_shared(x, self.gate.val());
        match &self.gate_bias {
            Some(bias) => softmax(logits + bias.val().unsqueeze(), 2),
            None => softmax(logits, 2),
        }
    }
}

impl LoraExperts {
    /// `alpha / rank · Σ_e p_e · x · A_e · B_e`: the narrow states of all experts in one product, weighed, and back in
    /// another.
    fn forward(&self, x: Tensor<3>, shares: Tensor<3>) -> Tensor<3> {
        let [num_sequences, num_tokens, num_adapters] = shares.dims();
        let narrow = matmul_shared(x, self.down.val());
        let width = narrow.dims()[2];
        let by_expert: Tensor<4> = narrow.reshape([num_sequences, num_tokens, num_adapters, width / num_adapters]);
        let weighed = by_expert * shares.unsqueeze_dim::<4>(3);
        matmul_shared(weighed.reshape([num_sequences, num_tokens, width]), self.up.val()) * self.scale
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::TensorData;
    use moe_router::matrix::Matrix;
    use moe_router::mixing::peft::{self, LoraExpert};

    use super::*;
    use crate::read_back::read;

    const NUM_ADAPTERS: usize = 3;
    const D_MODEL: usize = 4;
    const RANK: usize = 2;

    fn values(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|at| ((at * step) % 13) as f32 / 7.0 - 0.8).collect()
    }

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn plain<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        pollster::block_on(read(tensor)).expect("it is read back")
    }

    /// A layer of adapters that have learned: everything that was zero is something.
    fn learned(form: AdapterForm) -> LayerAdapters {
        let config = AdaptersConfig { d_model: D_MODEL, num_layers: 1, num_adapters: NUM_ADAPTERS, form };
        let adapters = config.init(5, &Device::flex());
        assert_eq!(adapters.num_params(), config.num_parameters());
        let mut layer = adapters.layers.into_iter().next().expect("one layer");
        layer.gate = Param::from_tensor(tensor(values(D_MODEL * NUM_ADAPTERS, 5), [D_MODEL, NUM_ADAPTERS]));
        layer.gate_bias = layer.gate_bias.map(|_| Param::from_tensor(tensor(vec![0.3, -0.2, 0.1], [NUM_ADAPTERS])));
        match &mut layer.experts {
            AdapterExperts::Lora(lora) => {
                let width = NUM_ADAPTERS * RANK;
                lora.up = Param::from_tensor(tensor(values(width * D_MODEL, 3), [width, D_MODEL]));
            }
            AdapterExperts::Vectors(vectors) => {
                let change = tensor(values(NUM_ADAPTERS * D_MODEL, 3), [NUM_ADAPTERS, D_MODEL]);
                vectors.change = Param::from_tensor(change);
            }
        }
        layer
    }

    /// Two sequences of three tokens through a layer, beside what `expected` makes of `x`, `y` and the shares.
    fn check(layer: &LayerAdapters, expected: impl Fn(&Matrix, &Matrix, &Matrix) -> Matrix) {
        let (x, y) = (values(24, 7), values(24, 11));
        let of = |values: &[f32]| tensor(values.to_vec(), [2, 3, D_MODEL]);
        let (found, shares) = layer.forward(of(&x), of(&y));
        let (found, shares) = (plain(found), Matrix::new(NUM_ADAPTERS, plain(shares)));
        assert!(shares.rows().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        let expected = expected(&Matrix::new(D_MODEL, x), &Matrix::new(D_MODEL, y.clone()), &shares);
        for (found, expected) in found.iter().zip(expected.values()) {
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} is not {expected}");
        }
        assert!(found.iter().zip(&y).any(|(found, y)| (found - y).abs() > 1e-2), "they have learned");
    }

    #[test]
    fn lora_experts_are_what_the_router_mixes() {
        for gate_bias in [true, false] {
            let layer = learned(AdapterForm::Lora { rank: RANK, alpha: 16.0, gate_bias });
            let AdapterExperts::Lora(lora) = &layer.experts else { panic!("LoRA experts") };
            let (down, up) = (plain(lora.down.val()), plain(lora.up.val()));
            let expert = |expert: usize| {
                let columns = down.chunks(NUM_ADAPTERS * RANK).flat_map(|row| &row[expert * RANK..][..RANK]);
                let rows = &up[expert * RANK * D_MODEL..][..RANK * D_MODEL];
                LoraExpert {
                    down: Matrix::new(RANK, columns.copied().collect()),
                    up: Matrix::new(D_MODEL, rows.to_vec()),
                }
            };
            let experts: Vec<LoraExpert> = (0..NUM_ADAPTERS).map(expert).collect();
            check(&layer, |x, y, shares| peft::molora(y, x, shares, &experts, 16.0));
        }
    }

    #[test]
    fn vectors_are_what_the_router_mixes() {
        let layer = learned(AdapterForm::Vectors);
        let AdapterExperts::Vectors(vectors) = &layer.experts else { panic!("vectors") };
        let scalings: Vec<f32> = plain(vectors.change.val()).iter().map(|change| 1.0 + change).collect();
        check(&layer, |_, y, shares| peft::mov(y, shares, &Matrix::new(D_MODEL, scalings.clone())));
    }

    #[test]
    fn fresh_adapters_change_no_bit() {
        let lora = AdapterForm::Lora { rank: RANK, alpha: 16.0, gate_bias: true };
        for form in [lora, AdapterForm::Vectors] {
            let config = AdaptersConfig { d_model: D_MODEL, num_layers: 2, num_adapters: NUM_ADAPTERS, form };
            let adapters = config.init(5, &Device::flex());
            let (x, y) = (values(24, 7), values(24, 11));
            for layer in &adapters.layers {
                let (found, _) = layer.forward(tensor(x.clone(), [2, 3, D_MODEL]), tensor(y.clone(), [2, 3, D_MODEL]));
                assert_eq!(plain(found), y);
            }
        }
    }
}
