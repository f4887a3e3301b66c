//! Distilling: a model with one feed-forward a layer learns from a model of experts of the same shape.
//!
//! The student begins as the teacher with its experts merged, so that all but the feed-forwards is the teacher's (Switch
//! Transformers, arXiv:2101.03961, section 4.2). Then it learns in two stages:
//!
//! 1. **Each layer by itself** (hints, FitNets, arXiv:1412.6550, equation 3): on the states that the *teacher's* layer saw,
//!    the student's feed-forward is to say what the experts said. No layer waits for another one's mistakes to go, and
//!    nothing but feed-forwards moves.
//! 2. **All together on the text**: cross-entropy, mixed with the divergence from the teacher's expectations
//!    (arXiv:1503.02531, at temperature 1) in the shares that Switch Transformers found best, three quarters and one.
//!
//! The first alone leaves the layers' errors to add up; the second alone asks of few steps what the first is told outright.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use moe_model::read_back::read;
use moe_model::reference::{self, Forward};
use moe_model::weights::Block;
use moe_model::{TensorError, Weights};

use crate::batch::Batch;
use crate::learner::{Learner, Step};
use crate::{adam, chance};

/// The teacher's share of the second stage's loss, 0 to 1; the text has the rest.
pub const TEACHERS_SHARE: f32 = 0.25;

/// Below this a layer says nothing that one could miss.
const SILENCE: f32 = 1e-12;

/// What a step is to learn from the teacher.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// What each layer of experts says.
    Layers,
    /// What the model expects, mixed with the text by this share, 0 to 1.
    Text { teachers_share: f32 },
}

/// How far the student was from the teacher, on the batch of a step and before it.
#[derive(Debug, Clone, PartialEq)]
pub enum Distance {
    /// Of each layer, on the teacher's states: squared error over the squares of what the experts say. 0 where it says the
    /// same, 1 where it says nothing.
    Layers(Vec<f32>),
    /// Kullback-Leibler divergence of the student's expectations from the teacher's, nats per token.
    Text(f32),
}

/// A learner that only teaches: without what its optimiser keeps, which is twice its weights.
pub fn teacher(learner: &Learner) -> Learner {
    Learner { optimizer: adam::optimizer(learner.recipe.weight_decay), ..learner.clone() }
}

/// One optimiser step of the student, its `step`th. Both have the same layers and vocabulary; the student has one expert.
pub async fn step(
    student: &mut Learner,
    teacher: &Learner,
    batch: &Batch,
    step: usize,
    stage: Stage,
) -> Result<(Step, Distance), TensorError> {
    let taught = expectations(teacher, batch).await?;
    let mut distances = Vec::new();
    let seen = match stage {
        Stage::Layers => {
            let towards = |weights: &Weights, _: &Forward, _: Tensor<1>| {
                let pairs = weights.blocks.iter().zip(&taught.layers);
                distances.extend(pairs.map(|(block, layer)| of_layer(block, &layer.hidden, &layer.output)));
                Tensor::cat(distances.clone(), 0).sum()
            };
            student.step_towards(batch, step, towards).await?
        }
        Stage::Text { teachers_share } => {
            let towards = |_: &Weights, forward: &Forward, own: Tensor<1>| {
                let divergence = divergence(lifted(taught.logits.clone()), forward.logits.clone());
                distances.push(divergence.clone());
                own * (1.0 - teachers_share) + divergence * teachers_share
            };
            student.step_towards(batch, step, towards).await?
        }
    };
    let values = read(Tensor::cat(distances, 0)).await?;
    let distance = match stage {
        Stage::Layers => Distance::Layers(values),
        Stage::Text { .. } => Distance::Text(values[0]),
    };
    Ok((seen, distance))
}

/// What the teacher makes of a batch, routed as when nobody learns, without a graph.
async fn expectations(teacher: &Learner, batch: &Batch) -> Result<Forward, TensorError> {
    let Learner { config, rule, device, .. } = teacher;
    let (ids, _) = batch.to_tensors(device);
    let draws = chance::at_inference(rule.spec(), batch.ids.len(), config);
    let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
    reference::forward(&teacher.weights.valid(), config, ids, *rule, &inputs).await
}

/// Onto the device of a graph, as a constant.
fn lifted<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    Tensor::from_inner(tensor)
}

/// The relative squared error of a feed-forward. `hidden`, `output`: `[sequences, tokens, d_model]`, what the teacher's
/// layer saw and said.
fn of_layer(block: &Block, hidden: &Tensor<3>, output: &Tensor<3>) -> Tensor<1> {
    let [num_sequences, num_tokens, d_model] = hidden.dims();
    // One expert takes all tokens, with weight 1.
    let x = lifted(hidden.clone()).reshape([1, num_sequences * num_tokens, d_model]);
    let mut said = block.experts.forward(x.clone());
    if let Some(shared) = &block.shared_experts {
        said = said + shared.forward(x);
    }
    let wanted = lifted(output.clone()).reshape([1, num_sequences * num_tokens, d_model]);
    (said - wanted.clone()).square().sum() / wanted.square().sum().clamp_min(SILENCE)
}

/// `KL(teacher || student)`, nats per token. Both: `[sequences, tokens, vocabulary]`.
fn divergence(teacher: Tensor<3>, student: Tensor<3>) -> Tensor<1> {
    let (chances, expected) = (softmax(teacher.clone(), 2), log_softmax(teacher, 2));
    (chances * (expected - log_softmax(student, 2))).sum_dim(2).mean()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use moe_model::ModelConfig;
    use moe_trace::{Overflow, RouterSpec, RoutingSpec};

    use super::*;
    use crate::corpus::{Corpus, Domain};
    use crate::recipe::Recipe;
    use crate::reshape::merged;
    use crate::saved::{restore, save};

    fn learner(config: ModelConfig, rule: RoutingSpec) -> Learner {
        let recipe = Recipe {
            seed: 3,
            steps: usize::MAX,
            learning_rate: 1e-2,
            warm_up: 2,
            weight_decay: 0.0,
            gradient_clip: 1.0,
            losses: Vec::new(),
            bias_step: 0.0,
        };
        Learner::new(config, rule, recipe, Device::flex()).expect("it fits")
    }

    fn batch(step: usize) -> Batch {
        let ids: Vec<u16> = (0..600u32).map(|at| (at * at % 48) as u16).collect();
        let domain = Domain { name: "text".to_owned(), train: ids.clone(), valid: ids, valid_bytes_per_token: 1.0 };
        Corpus { domains: vec![domain], vocab_size: 48 }.training_batch(2, 16, 3, step)
    }

    /// Experts that have learned, and what they are merged into.
    fn teacher_and_student() -> (Learner, Learner) {
        let mut sparse =
            learner(ModelConfig::tiny(), RoutingSpec { overflow: Overflow::Dropless, ..RoutingSpec::default() });
        for at in 0..40 {
            pollster::block_on(sparse.step(&batch(at), at)).expect("it learns");
        }
        let dense = RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless };
        let mut student = learner(ModelConfig { num_experts: 1, ..ModelConfig::tiny() }, dense);
        let saved = |learner: &Learner| pollster::block_on(save(learner)).expect("it can be saved");
        let mean = merged(&saved(&sparse), &saved(&student), &[]);
        restore(&mut student, &mean).expect("it fits");
        (teacher(&sparse), student)
    }

    #[test]
    fn layers_come_to_say_what_the_experts_say_and_nothing_else_moves() {
        let (teacher, mut student) = teacher_and_student();
        let before = pollster::block_on(save(&student)).expect("it can be saved");
        let mut errors = Vec::new();
        for at in 40..88 {
            let batch = batch(at);
            let taken = step(&mut student, &teacher, &batch, at, Stage::Layers);
            let (_, distance) = pollster::block_on(taken).expect("it learns");
            let Distance::Layers(of) = distance else { panic!("{distance:?}") };
            assert_eq!(of.len(), student.config.num_layers);
            errors.push(of);
        }
        let (first, last) = (&errors[0], &errors[errors.len() - 1]);
        assert!(first.iter().zip(last).all(|(first, last)| last < &(first * 0.7)), "{first:?} became {last:?}");
        let after = pollster::block_on(save(&student)).expect("it can be saved");
        for (name, numbers) in before.tensors.iter().filter(|(name, _)| !name.contains('/')) {
            let is_of_feed_forward = ["w_gate", "w_up", "w_down"].iter().any(|of| name.ends_with(of));
            assert_eq!(after.tensors[name] != *numbers, is_of_feed_forward, "{name}");
        }
    }

    #[test]
    fn expectations_come_closer_to_the_teachers() {
        let (teacher, mut student) = teacher_and_student();
        let mut found = Vec::new();
        for at in 40..80 {
            let stage = Stage::Text { teachers_share: 1.0 };
            let (_, distance) =
                pollster::block_on(step(&mut student, &teacher, &batch(at), at, stage)).expect("it learns");
            let Distance::Text(divergence) = distance else { panic!("{distance:?}") };
            found.push(divergence);
        }
        let (first, last) = (found[0], found[found.len() - 1]);
        assert!(first > 0.0 && last < first * 0.5, "{first} became {last}");
    }

    #[test]
    fn without_a_share_of_the_teacher_a_step_is_a_step() {
        let (teacher, student) = teacher_and_student();
        let (mut taught, mut alone) = (student.clone(), student);
        let stage = Stage::Text { teachers_share: 0.0 };
        let with = pollster::block_on(step(&mut taught, &teacher, &batch(40), 40, stage)).expect("it learns").0;
        let without = pollster::block_on(alone.step(&batch(40), 40)).expect("it learns");
        assert_eq!(with.losses, without.losses);
        assert!((with.gradient_norm - without.gradient_norm).abs() < 1e-5);
    }

    #[test]
    fn the_divergence_is_that_of_a_worked_example() {
        let device = Device::flex();
        let of = |chances: [f32; 2]| {
            let logits: Vec<f32> = chances.iter().map(|chance: &f32| chance.ln()).collect();
            Tensor::<3>::from_data(TensorData::new(logits, [1, 1, 2]), &device)
        };
        let found = divergence(of([0.5, 0.5]), of([0.25, 0.75])).into_scalar::<f32>();
        // 0.5 ln(0.5 / 0.25) + 0.5 ln(0.5 / 0.75)
        assert!((found - 0.143_841).abs() < 1e-5, "{found}");
        assert_eq!(divergence(of([0.3, 0.7]), of([0.3, 0.7])).into_scalar::<f32>(), 0.0);
    }
}
