//! How the gates of earlier moments of the training would route a text: the states are those of the model as it is now,
//! the norm before the gate and the gate those of the moment. What the model of that moment did is another matter, since
//! its states were others too.

use moe_kernels::cpu;
use moe_kernels::params::RowParams;
use moe_router::matrix::Matrix;
use moe_router::{Router, RouterInput};
use moe_trace::GateLogits;

use super::gate::HostCosineGate;
use super::step::StepInput;
use super::{Fused, Group, in_layer};
use crate::config::ModelConfig;
use crate::forms::gate::GateConfig;
use crate::history::Moment;
use crate::read_back::{TensorError, read};

/// Experts in order of choice, `[moments][layers][tokens]`.
pub type RoutesThen = Vec<Vec<Vec<Vec<u32>>>>;

impl Fused {
    /// Routes a text by the gates of every moment. `router` turns nobody away, and looks at gate logits alone; it routes
    /// the text now, too. The last moment of a whole training is the model itself.
    ///
    /// The caller keeps `ids` non-empty, in the vocabulary and within `max_tokens`.
    pub async fn route_then(
        &mut self,
        ids: &[u32],
        router: &Router,
        moments: &[Moment],
    ) -> Result<RoutesThen, TensorError> {
        self.known = None;
        self.watched = Some(Vec::new());
        let passed =
            self.pass(&StepInput { ids, first_position: 0, inputs: &[] }, Group::One(Vec::new()), router).await;
        let watched = self.watched.take().unwrap_or_default();
        passed?;
        let mut states = Vec::with_capacity(watched.len());
        for state in watched {
            states.push(read(state).await?);
        }
        let mut routes = RoutesThen::with_capacity(moments.len());
        for moment in moments {
            let mut layers = Vec::with_capacity(states.len());
            for (layer, states) in states.iter().enumerate() {
                let gate = GateThen::new(moment, layer, &self.config)?;
                let logits = gate.logits(states).map_err(|error| in_layer(layer, error.0))?;
                let routing = router.route(&RouterInput::new(&logits));
                let of_token = |token: u32| routing.of_token(token).iter().map(|request| request.expert.0).collect();
                layers.push((0..ids.len() as u32).map(of_token).collect());
            }
            routes.push(layers);
        }
        Ok(routes)
    }
}

/// Norm and gate of a block at a moment, on the host.
struct GateThen {
    norm: Vec<f32>,
    gate: HostGate,
}

enum HostGate {
    /// `[d_model, experts]`
    Linear(Matrix),
    Cosine(HostCosineGate),
}

impl GateThen {
    /// By the names that parameters have in the files of our own models, which alone have a history.
    fn new(moment: &Moment, layer: usize, config: &ModelConfig) -> Result<GateThen, TensorError> {
        let find = |name: String, len: usize| {
            let found = moment.gates.iter().find(|(known, _)| *known == name).map(|(_, values)| values);
            match found {
                Some(values) if values.len() == len => Ok(values.clone()),
                Some(values) => Err(TensorError(format!("{name} has {} numbers, not {len}", values.len()))),
                None => Err(TensorError(format!("the history has no {name}"))),
            }
        };
        let own = |name: &str| format!("blocks.{layer}.{name}");
        if config.selection_bias {
            return Err(TensorError("choices by a learned bias are not computed again".to_owned()));
        }
        let (d_model, num_experts) = (config.d_model, config.num_experts);
        let gate = match config.gate {
            GateConfig::Linear => HostGate::Linear(Matrix::new(num_experts, find(own("gate"), d_model * num_experts)?)),
            GateConfig::Cosine(gate) => {
                let projection = Matrix::new(gate.d_gate, find(own("cosine.gate_projection"), d_model * gate.d_gate)?);
                let embeddings = Matrix::new(num_experts, find(own("gate"), gate.d_gate * num_experts)?);
                let sharpness = find(own("cosine.gate_sharpness"), 1)?;
                HostGate::Cosine(HostCosineGate::of_parts(projection, embeddings.transposed(), sharpness[0]))
            }
        };
        Ok(GateThen { norm: find(own("moe_norm"), d_model)?, gate })
    }

    /// `states`: `[tokens, d_model]`, before the norm.
    fn logits(&self, states: &[f32]) -> Result<GateLogits, TensorError> {
        let d_model = self.norm.len();
        let params = RowParams { num_tokens: (states.len() / d_model) as u32, d_model: d_model as u32 };
        let mut normed = vec![0.0; states.len()];
        cpu::rms_norm::rms_norm(states, &self.norm, params, &mut normed);
        match &self.gate {
            HostGate::Linear(weight) => {
                let logits = Matrix::new(d_model, normed).times(weight);
                GateLogits::new(weight.width(), logits.values().to_vec())
                    .map_err(|error| TensorError(error.to_string()))
            }
            HostGate::Cosine(gate) => gate.logits(normed),
        }
    }
}
