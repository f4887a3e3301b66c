//! What a model does with held-out text: the same windows of every domain, each a routing group.

use anyhow::Result;
use moe_learn::{Batch, Corpus, chance};
use moe_model::{RoutingInputs, Weights, reference};
use moe_router::Router;
use moe_router::matrix::Matrix;
use moe_router::measure::choices;
use moe_trace::{CapacitySpec, Overflow, Priority, Routing, RoutingSpec};

use crate::site_model::SiteModel;

/// A model of the site, loaded.
pub struct Model {
    pub site: SiteModel,
    pub weights: Weights,
}

/// Windows computed at once.
const BATCH: usize = 16;

/// One token in so many keeps its hidden states.
pub const HIDDEN_EVERY: usize = 8;

/// Windows of held-out text that do not overlap, spread evenly over each domain.
pub struct Text {
    pub domains: Vec<String>,
    /// Tokens of a window.
    pub num_tokens: usize,
    /// `[windows]`, of `num_tokens + 1` ids each, domain after domain.
    windows: Vec<Vec<u16>>,
    /// `[windows]`
    pub domain_of_window: Vec<usize>,
}

impl Text {
    /// `windows` per domain, or as many as a shorter one has.
    pub fn of(corpus: &Corpus, num_tokens: usize, windows: usize) -> Result<Text> {
        corpus.ensure_windows_of(num_tokens)?;
        let domains = corpus.domains.iter().map(|domain| domain.name.clone()).collect();
        let mut text = Text { domains, num_tokens, windows: Vec::new(), domain_of_window: Vec::new() };
        for (at, domain) in corpus.domains.iter().enumerate() {
            let windows = windows.min((domain.valid.len() - 1) / num_tokens);
            let stride = (domain.valid.len() - 1) / windows.max(1);
            for start in (0..windows).map(|window| window * stride) {
                text.windows.push(domain.valid[start..=start + num_tokens].to_vec());
                text.domain_of_window.push(at);
            }
        }
        Ok(text)
    }

    pub fn num_windows(&self) -> usize {
        self.windows.len()
    }

    pub fn num_all_tokens(&self) -> usize {
        self.windows.len() * self.num_tokens
    }

    /// `[tokens]`, window after window, as all labels here.
    pub fn ids(&self) -> Vec<u32> {
        self.windows.iter().flat_map(|window| &window[..self.num_tokens]).map(|&id| u32::from(id)).collect()
    }

    pub fn positions(&self) -> Vec<u32> {
        self.windows.iter().flat_map(|_| 0..self.num_tokens as u32).collect()
    }

    pub fn windows(&self) -> Vec<u32> {
        self.label(|window| window as u32)
    }

    pub fn domains(&self) -> Vec<u32> {
        self.label(|window| self.domain_of_window[window] as u32)
    }

    /// A label that all tokens of a window share.
    pub fn label(&self, of_window: impl Fn(usize) -> u32) -> Vec<u32> {
        (0..self.windows.len()).flat_map(|window| vec![of_window(window); self.num_tokens]).collect()
    }
}

/// What all layers did with a text.
pub struct Observed {
    pub num_experts: usize,
    pub layers: Vec<ObservedLayer>,
}

pub struct ObservedLayer {
    /// `[windows]`
    pub routings: Vec<Routing>,
    /// `[tokens / HIDDEN_EVERY, d_model]`: states as the gate saw them.
    pub hidden: Matrix,
}

impl Observed {
    /// Runs the model over the text by its own rule.
    pub fn of(model: &Model, text: &Text, overflow: Overflow) -> Result<Observed> {
        let manifest = &model.site.manifest;
        let config = &manifest.config;
        let spec = RoutingSpec { overflow, ..manifest.trained_routing };
        let router = Router::new(spec, config.num_experts)?;
        let device = model.weights.embedding.val().device();
        let mut routings: Vec<Vec<Routing>> = vec![Vec::new(); config.num_layers];
        let mut hidden: Vec<Vec<f32>> = vec![Vec::new(); config.num_layers];
        for (number, windows) in text.windows.chunks(BATCH).enumerate() {
            let batch = Batch::new(windows.iter().map(Vec::as_slice), text.num_tokens);
            let draws = match overflow {
                Overflow::Drop(CapacitySpec { priority: Priority::Random | Priority::RandomPerExpert, .. }) => {
                    RoutingInputs::draw(number as u32, config.num_layers, batch.ids.len(), config.num_experts)
                }
                _ => chance::at_inference(spec, batch.ids.len(), config),
            };
            let (ids, _) = batch.to_tensors(&device);
            let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
            let forward = pollster::block_on(reference::forward(&model.weights, config, ids, &router, &inputs))?;
            for (layer, outcome) in forward.layers.into_iter().enumerate() {
                routings[layer].extend(outcome.routings);
                let states: Vec<f32> = outcome.hidden.into_data().try_to_vec().expect("states are f32");
                let kept = states.chunks_exact(config.d_model).step_by(HIDDEN_EVERY);
                kept.for_each(|state| hidden[layer].extend_from_slice(state));
            }
        }
        let layers = routings
            .into_iter()
            .zip(hidden)
            .map(|(routings, hidden)| ObservedLayer { routings, hidden: Matrix::new(config.d_model, hidden) });
        Ok(Observed { num_experts: config.num_experts, layers: layers.collect() })
    }

    /// All layers' routings of some windows.
    pub fn routings_of(&self, windows: impl Fn(usize) -> bool) -> Vec<Routing> {
        let of_layer = |layer: &ObservedLayer| {
            let chosen = layer.routings.iter().enumerate().filter(|(window, _)| windows(*window));
            chosen.map(|(_, routing)| routing.clone()).collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(of_layer).collect()
    }

    /// Experts that every token asks; `None` where some ask more than others.
    pub fn k(&self) -> Option<usize> {
        let first = self.layers.first()?.routings.first()?;
        let k = first.of_token(0).len();
        let asks_k = |routing: &Routing| {
            routing.assignments.len() == k * routing.num_tokens as usize
                && routing.assignments.iter().enumerate().all(|(at, request)| request.token as usize == at / k)
        };
        (k > 0 && self.layers.iter().all(|layer| layer.routings.iter().all(asks_k))).then_some(k)
    }

    /// Experts by token, `[layers][tokens, k]`, whatever became of the request, and `k`; for rules that have one.
    pub fn choices(&self) -> Option<(Vec<Vec<u32>>, usize)> {
        let k = self.k()?;
        Some((self.layers.iter().map(|layer| layer.routings.iter().flat_map(choices).collect()).collect(), k))
    }
}
