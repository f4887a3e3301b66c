//! The losses beside that of the next token, on the tensor graph: what evens experts out, sharpens a gate, or keeps its
//! logits small. Counts, choices and thresholds carry no gradient; probabilities and logits do.
//!
//! `moe_router::losses` has the same as plain numbers, and a test holds the two together. Here each is a mean over the
//! layers; what is counted is counted over all sequences of the batch, but where a name says otherwise.

use burn::tensor::activation::{log_softmax, relu, sigmoid, softmax};
use burn::tensor::{Tensor, TensorData};
use moe_model::RoutingInputs;
use moe_model::reference::{Forward, LayerOutcome, Rule};
use moe_router::gate::top_k;
use moe_router::losses::is_choice;
use moe_router::rule::GateReads;
use moe_trace::training::{AuxiliaryLoss, TrainedRule};
use moe_trace::{RouterSpec, RoutingSpec};

/// A loss that means nothing for a rule, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this loss {0}")]
pub struct Unfit(pub &'static str);

/// Has the loss a meaning where this rule routes?
pub fn check(loss: AuxiliaryLoss, rule: &TrainedRule) -> Result<(), Unfit> {
    let spec = match rule {
        TrainedRule::Assigns(spec) => spec,
        TrainedRule::Mixes(_) => return check_mixed(loss),
    };
    let gate = moe_router::rules::facts(&spec.router).reads;
    match loss {
        AuxiliaryLoss::DeviceBalance => Err(Unfit("is about experts on several devices; here they share one")),
        AuxiliaryLoss::LocalizedBalance => Err(Unfit("is about adapters of several kinds (LoRAMoE)")),
        AuxiliaryLoss::Load if noise(spec).is_none() => {
            Err(Unfit("asks how noise could change the choice; only noisy_top_k draws any"))
        }
        _ if gate == GateReads::Nothing => Err(Unfit("goes by a gate, which this rule does not read")),
        _ => Ok(()),
    }
}

/// Where nobody requests anything, a loss can only go by the gate's softmax.
fn check_mixed(loss: AuxiliaryLoss) -> Result<(), Unfit> {
    match loss {
        AuxiliaryLoss::Importance | AuxiliaryLoss::Z | AuxiliaryLoss::Entropy | AuxiliaryLoss::MutualInformation => {
            Ok(())
        }
        _ => Err(Unfit("goes by requests, and a rule that mixes makes none")),
    }
}

/// Its value over a batch, unscaled, `[1]`, for a rule that [`check`] accepts.
///
/// `draws`: `[layers]`, those the batch was routed with, of all its tokens in order.
pub fn value(loss: AuxiliaryLoss, forward: &Forward, rule: &Rule, draws: &[RoutingInputs]) -> Tensor<1> {
    let num_layers = forward.layers.len() as f64;
    let mut sum = Tensor::<1>::zeros([1], &forward.logits.device());
    for (layer, draws) in forward.layers.iter().zip(draws) {
        sum = sum + of_layer(loss, layer, rule, draws) / num_layers;
    }
    sum
}

fn of_layer(loss: AuxiliaryLoss, layer: &LayerOutcome, rule: &Rule, draws: &RoutingInputs) -> Tensor<1> {
    let z = || layer.gate_logits.clone();
    let (reads, noise) = match rule {
        Rule::Assigns(router) => (router.facts().reads, noise(router.spec())),
        Rule::Mixes(_) => (GateReads::Softmax, None),
    };
    let probs = || probabilities(reads, z());
    match loss {
        // V-MoE (arXiv:2106.05974, app. A.2): the squared variation of the whole softmax's sums.
        AuxiliaryLoss::Importance => squared_variation(over_tokens(probs())),
        AuxiliaryLoss::Load => match noise {
            Some((k, std)) => squared_variation(over_tokens(chances(layer, draws, k, std))),
            None => z().sum() * 0.0,
        },
        // `E · Σ f_e P_e`, f the shares of all choices, P the mean probabilities: 1 at perfect balance.
        AuxiliaryLoss::Balance => {
            let [num_sequences, num_tokens, num_experts] = z().dims();
            let shares = shares(layer, |_| 0, 1, num_experts);
            let mean_probs = probs().reshape([1, num_sequences * num_tokens, num_experts]).mean_dim(1);
            (shares * mean_probs).sum() * num_experts as f64
        }
        // The same within each sequence, their mean (DeepSeek-V3, arXiv:2412.19437, eq. 17-20).
        AuxiliaryLoss::SequenceBalance => {
            let [num_sequences, _, num_experts] = z().dims();
            let shares = shares(layer, |sequence| sequence, num_sequences, num_experts);
            (shares * probs().mean_dim(1)).sum() * (num_experts as f64 / num_sequences as f64)
        }
        // ST-MoE (arXiv:2202.08906, eq. 5): the squared logsumexp of the gate logits.
        AuxiliaryLoss::Z => {
            let largest = z().detach().max_dim(2);
            let log_sum = (z() - largest.clone()).exp().sum_dim(2).log() + largest;
            log_sum.square().mean()
        }
        AuxiliaryLoss::Entropy => given_token(z()),
        // ModuleFormer (arXiv:2306.04640, eq. 6): H(e|x) − H(e).
        AuxiliaryLoss::MutualInformation => {
            let [num_sequences, num_tokens, _] = z().dims();
            let of_all = over_tokens(softmax(z(), 2)) / (num_sequences * num_tokens) as f64;
            given_token(z()) + (of_all.clone() * (of_all + TINY).log()).sum()
        }
        AuxiliaryLoss::SecondPlace => second_place(layer),
        // ReMoE (arXiv:2412.14711, eq. 9): what a ReLU gate lets through, per token.
        AuxiliaryLoss::L1 => relu(z()).sum_dim(2).mean(),
        AuxiliaryLoss::DeviceBalance | AuxiliaryLoss::LocalizedBalance => z().sum() * 0.0,
    }
}

/// Keeps the logarithm of a probability that is 0 finite.
const TINY: f64 = 1e-30;

/// What balance evens out, as [`GateReads::shares`] computes it off the graph: the softmax; for sigmoid gates, sigmoids
/// over their sum (DeepSeek-V3, arXiv:2412.19437, eq. 18-20).
fn probabilities(reads: GateReads, gate_logits: Tensor<3>) -> Tensor<3> {
    match reads {
        GateReads::Sigmoid => {
            let scores = sigmoid(gate_logits);
            scores.clone() / scores.sum_dim(2)
        }
        _ => softmax(gate_logits, 2),
    }
}

/// Shares of all choices, as `moe_router::losses::per_choice` counts them, within each part of the batch:
/// `[parts, 1, experts]`.
fn shares(layer: &LayerOutcome, part_of: impl Fn(usize) -> usize, num_parts: usize, num_experts: usize) -> Tensor<3> {
    let mut totals = vec![0usize; num_parts];
    for (sequence, routing) in layer.routings.iter().enumerate() {
        totals[part_of(sequence)] += routing.assignments.iter().filter(|a| is_choice(a.fate)).count();
    }
    let mut shares = vec![0.0f32; num_parts * num_experts];
    for (sequence, routing) in layer.routings.iter().enumerate() {
        let part = part_of(sequence);
        let share = 1.0 / totals[part].max(1) as f32;
        for a in routing.assignments.iter().filter(|a| is_choice(a.fate)) {
            shares[part * num_experts + a.expert.index()] += share;
        }
    }
    Tensor::from_data(TensorData::new(shares, [num_parts, 1, num_experts]), &layer.gate_logits.device())
}

/// `[sequences, tokens, experts]` to sums over all tokens, `[experts]`.
fn over_tokens(values: Tensor<3>) -> Tensor<1> {
    let [num_sequences, num_tokens, num_experts] = values.dims();
    values.reshape([num_sequences * num_tokens, num_experts]).sum_dim(0).reshape([num_experts])
}

/// Population variance over squared mean.
fn squared_variation(values: Tensor<1>) -> Tensor<1> {
    let mean = values.clone().mean();
    (values - mean.clone()).square().mean() / mean.square()
}

/// Mean entropy of a token's softmax, nats.
fn given_token(gate_logits: Tensor<3>) -> Tensor<1> {
    let log_probs = log_softmax(gate_logits, 2);
    -(log_probs.clone().exp() * log_probs).sum_dim(2).mean()
}

/// Choices and deviation of a rule that draws normal noise of one size.
fn noise(spec: &RoutingSpec) -> Option<(usize, f32)> {
    match spec.router {
        RouterSpec::Noisy { k, std } if std > 0.0 => Some((k as usize, std)),
        _ => None,
    }
}

/// Shazeer's `P`, `[sequences, tokens, experts]` (arXiv:1701.06538, eq. 8-9): would the expert be chosen if its noise
/// were drawn again?
fn chances(layer: &LayerOutcome, draws: &RoutingInputs, k: usize, std: f32) -> Tensor<3> {
    let z = layer.gate_logits.clone();
    let [num_sequences, num_tokens, num_experts] = z.dims();
    if k >= num_experts {
        return z.clone() * 0.0 + 1.0;
    }
    let mut thresholds = Vec::with_capacity(num_sequences * num_tokens * num_experts);
    let rows = layer.gate_values.iter().flat_map(|logits| logits.rows());
    for (row, noise) in rows.zip(draws.normals.chunks(num_experts)) {
        let noisy: Vec<f32> = row.iter().zip(noise).map(|(z, noise)| z + std * noise).collect();
        let best = top_k(&noisy, k + 1);
        let (kth, next) = (noisy[best[k - 1]], noisy[best[k]]);
        thresholds.extend(noisy.iter().map(|&noisy| if noisy > next { next } else { kth }));
    }
    let thresholds: Tensor<3> =
        Tensor::from_data(TensorData::new(thresholds, [num_sequences, num_tokens, num_experts]), &z.device());
    (((z - thresholds) / (std * std::f32::consts::SQRT_2)).erf() + 1.0) * 0.5
}

/// mesh-TensorFlow's: balance among those who come second, `moe_router::losses::second_place`.
fn second_place(layer: &LayerOutcome) -> Tensor<1> {
    let [num_sequences, num_tokens, num_experts] = layer.gate_logits.dims();
    let num_rows = num_sequences * num_tokens;
    let (mut others, mut seconds) = (vec![1.0f32; num_rows * num_experts], vec![0.0f32; num_experts]);
    for (sequence, routing) in layer.routings.iter().enumerate() {
        for token in 0..routing.num_tokens {
            let row = sequence * num_tokens + token as usize;
            let [first, second, ..] = routing.of_token(token) else { continue };
            others[row * num_experts + first.expert.index()] = 0.0;
            seconds[second.expert.index()] += 1.0 / num_rows as f32;
        }
    }
    let device = layer.gate_logits.device();
    let others = Tensor::<2>::from_data(TensorData::new(others, [num_rows, num_experts]), &device);
    let seconds = Tensor::<1>::from_data(TensorData::new(seconds, [num_experts]), &device);
    let rest = softmax(layer.gate_logits.clone(), 2).reshape([num_rows, num_experts]) * others;
    let shares = rest.clone() / (rest.sum_dim(1) + TINY);
    let mean_shares = shares.mean_dim(0).reshape([num_experts]);
    (mean_shares * seconds).sum() * (0.5 * num_experts as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use moe_router::{Router, RouterInput, gate_probs, losses, metrics};
    use moe_trace::{GateLogits, MixerSpec};

    /// Two sequences of three tokens and four experts, under a rule.
    struct Example {
        router: Router,
        gates: Vec<GateLogits>,
        forward: Forward,
        draws: Vec<RoutingInputs>,
    }

    fn example(router: RouterSpec) -> Example {
        let values: Vec<f32> = (0..24).map(|at| ((at * 7) % 11) as f32 / 4.0 - 1.0).collect();
        let of_sequence = |values: &[f32]| GateLogits::new(4, values.to_vec()).expect("three tokens, four experts");
        let gates: Vec<GateLogits> = values.chunks(12).map(of_sequence).collect();
        let draws = RoutingInputs::draw(5, 1, 6, 4);
        let router = Router::new(RoutingSpec { router, ..RoutingSpec::default() }, 4).expect("four experts");
        let route = |(sequence, logits): (usize, &GateLogits)| {
            router.route(&RouterInput::new(logits).with_normals(&draws[0].normals[sequence * 12..][..12]))
        };
        let routings: Vec<_> = gates.iter().enumerate().map(route).collect();
        let device = Device::flex();
        let layer = LayerOutcome {
            hidden: Tensor::zeros([2, 3, 2], &device),
            output: Tensor::zeros([2, 3, 2], &device),
            gate_logits: Tensor::from_data(TensorData::new(values, [2, 3, 4]), &device),
            gate_values: gates.clone(),
            routings,
            mixings: Vec::new(),
        };
        let forward = Forward { logits: Tensor::zeros([2, 3, 3], &device), layers: vec![layer] };
        Example { router, gates, forward, draws }
    }

    impl Example {
        fn check(&self, loss: AuxiliaryLoss, expected: f64) {
            let found = value(loss, &self.forward, &Rule::Assigns(self.router), &self.draws).into_scalar::<f32>();
            let found = f64::from(found);
            assert!((found - expected).abs() < 1e-5, "{loss:?}: {found} is not {expected}");
        }

        /// All six tokens as one group.
        fn together(&self) -> (GateLogits, moe_trace::Routing) {
            let values: Vec<f32> = self.gates.iter().flat_map(|logits| logits.values()).copied().collect();
            let all = GateLogits::new(4, values).expect("six tokens");
            let routing = self.router.route(&RouterInput::new(&all).with_normals(&self.draws[0].normals));
            (all, routing)
        }
    }

    #[test]
    fn on_the_graph_they_are_what_the_router_computes() {
        let at = example(RoutingSpec::default().router);
        let (all, routing) = at.together();
        let probs = gate_probs(&all);
        at.check(AuxiliaryLoss::Importance, losses::importance_of_probs(&probs, 4, &[]));
        at.check(AuxiliaryLoss::Balance, losses::per_choice(&probs, &routing));
        let of_sequence = |sequence: usize| {
            losses::per_choice(&gate_probs(&at.gates[sequence]), &at.forward.layers[0].routings[sequence])
        };
        assert!((of_sequence(0) - of_sequence(1)).abs() > 1e-3);
        at.check(AuxiliaryLoss::SequenceBalance, (of_sequence(0) + of_sequence(1)) / 2.0);
        at.check(AuxiliaryLoss::Z, losses::z_loss(&all, &[]));
        at.check(AuxiliaryLoss::Entropy, metrics::entropy_mean(&probs, 4));
        at.check(AuxiliaryLoss::MutualInformation, losses::token_information(&probs, 4, &[]).loss);
        at.check(AuxiliaryLoss::SecondPlace, losses::second_place(&probs, &routing));
        at.check(AuxiliaryLoss::L1, losses::relu_l1(&all, &[]));
    }

    #[test]
    fn the_expected_load_is_the_routers() {
        let at = example(RouterSpec::Noisy { k: 2, std: 0.7 });
        let (all, _) = at.together();
        let noise = at.draws[0].normals.iter().map(|normal| 0.7 * normal);
        let noisy = all.values().iter().zip(noise).map(|(z, noise)| z + noise).collect();
        let noisy = GateLogits::new(4, noisy).expect("six tokens");
        let chances = losses::load_probs(&all, &noisy, &[0.7; 24], 2);
        let expected = metrics::squared_variation(&losses::expected_load(&chances, 4, &[]));
        assert!(expected > 1e-3);
        at.check(AuxiliaryLoss::Load, expected);
    }

    #[test]
    fn a_loss_that_means_nothing_is_refused() {
        let spec = |router| TrainedRule::Assigns(RoutingSpec { router, ..RoutingSpec::default() });
        assert!(check(AuxiliaryLoss::Load, &RoutingSpec::default().into()).is_err());
        assert!(check(AuxiliaryLoss::Load, &spec(RouterSpec::Noisy { k: 2, std: 1.0 })).is_ok());
        assert!(check(AuxiliaryLoss::Balance, &spec(RouterSpec::Random)).is_err());
        assert!(check(AuxiliaryLoss::DeviceBalance, &spec(RouterSpec::Switch)).is_err());
        assert!(check(AuxiliaryLoss::Balance, &MixerSpec::Smear.into()).is_err());
        assert!(check(AuxiliaryLoss::Entropy, &MixerSpec::Smear.into()).is_ok());
    }
}
