//! The model's layer in numbers: what a trace's header says of it, and what follows from that.

use moe_router::rules;
use moe_trace::ModelInfo;

use crate::run::scene::Scene;

/// A layer of the model, as far as it is known. All layers are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub num_layers: u32,
    pub num_experts: u32,
    /// Experts at work for one token under the rule that the model was trained with, on average.
    pub num_active: u32,
    /// Parameters of one expert; `None` where all experts are at work and the header does not tell them from the rest.
    pub expert_parameters: Option<u32>,
    /// Of the whole model: embedding, attention, norms, gates, shared experts.
    pub other_parameters: Option<u32>,
    /// Does header or trace speak of shared experts?
    pub has_shared: bool,
}

impl Block {
    pub fn of(scene: &Scene) -> Block {
        let model = &scene.recording.model;
        let traced = scene.recording.steps.iter().flat_map(|step| &step.layers);
        let has_shared = traced.filter_map(|layer| layer.output_norms.as_ref()).any(|norms| norms.shared.is_some());
        let block = Block::of_model(model);
        Block { has_shared: has_shared || block.has_shared, ..block }
    }

    /// Parameters that are not at work for a token are those of the experts that are not: so the size of one is known.
    pub fn of_model(model: &ModelInfo) -> Block {
        let (num_layers, num_experts) = (model.num_layers, model.num_experts);
        let num_active = rules::facts(&model.trained_routing.router).num_active(num_experts as usize) as u32;
        let idle_experts = num_layers * num_experts.saturating_sub(num_active);
        let idle = model.num_parameters.checked_sub(model.num_active_parameters);
        let expert_parameters = idle
            .filter(|&idle| idle > 0 && idle_experts > 0 && idle % idle_experts == 0)
            .map(|idle| idle / idle_experts);
        let in_experts = expert_parameters.and_then(|one| one.checked_mul(num_layers * num_experts));
        let other_parameters = in_experts.and_then(|experts| model.num_parameters.checked_sub(experts));
        Block {
            num_layers,
            num_experts,
            num_active,
            expert_parameters,
            other_parameters,
            has_shared: model.num_shared_experts > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use moe_trace::{RouterSpec, RoutingSpec};

    use super::*;

    /// The page's own model: 4 layers, 2 of 8 experts, each of 3 matrices of 128 × 256.
    fn model() -> ModelInfo {
        ModelInfo {
            name: "default".to_owned(),
            weights_sha256: String::new(),
            num_parameters: 3_478_656,
            num_active_parameters: 1_119_360,
            weights_bytes: 0,
            num_layers: 4,
            num_experts: 8,
            vocab_size: 1024,
            max_tokens: 256,
            num_shared_experts: 0,
            training_tokens: None,
            trained_routing: RoutingSpec::default(),
        }
    }

    #[test]
    fn the_size_of_an_expert_follows_from_total_and_active() {
        let block = Block::of_model(&model());
        assert_eq!((block.num_active, block.expert_parameters), (2, Some(3 * 128 * 256)));
        assert_eq!(block.other_parameters, Some(3_478_656 - 4 * 8 * 3 * 128 * 256));
    }

    #[test]
    fn what_does_not_follow_is_not_known() {
        let dense = RoutingSpec { router: RouterSpec::Dense, ..RoutingSpec::default() };
        for other in [
            ModelInfo { trained_routing: dense, num_active_parameters: 3_478_656, ..model() },
            ModelInfo { num_active_parameters: 1_119_361, ..model() },
            ModelInfo { num_active_parameters: 4_000_000, ..model() },
            ModelInfo { num_layers: 0, ..model() },
        ] {
            let block = Block::of_model(&other);
            assert_eq!((block.expert_parameters, block.other_parameters), (None, None), "{other:?}");
        }
    }
}
