//! Where a layer's tokens go, as routing rows: decided by the kernels where they know the rule, else by `moe-router` on
//! the host.

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::ops;
use moe_kernels::params::{GateParams, OrderParams, SlotParams};
use moe_router::Router;
use moe_trace::{GateLogits, Routing};

use super::device_rule::DeviceRule;
use super::gate::FusedGate;
use super::params::ParamsCache;
use crate::forms::gate::Gate;
use crate::read_back::{TensorError, read};
use crate::routing_inputs::RoutingInputs;
use crate::routing_rows;

/// What tokens of the group that earlier passes routed have already.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// `[layers · experts]`: slots.
    pub slots: &'a Tensor<1, Int>,
    /// The layer that asks.
    pub layer: usize,
    /// How many tokens.
    pub num_tokens: usize,
}

/// What decides about a layer's tokens.
pub struct LayerRouter {
    gate: FusedGate,
    /// `[experts]`, or empty.
    selection_bias: Vec<f32>,
    device: Device,
}

impl LayerRouter {
    pub async fn new(
        gate: Gate,
        selection_bias: Option<&Param<Tensor<1>>>,
        device: &Device,
    ) -> Result<LayerRouter, TensorError> {
        Ok(LayerRouter {
            gate: FusedGate::new(gate).await?,
            selection_bias: match selection_bias {
                Some(bias) => read(bias.val()).await?,
                None => Vec::new(),
            },
            device: device.clone(),
        })
    }

    /// Can the kernels compute this layer's gate?
    pub fn suits_the_kernels(&self) -> bool {
        self.gate.matrix().is_some()
    }

    /// Rows, `[tokens, experts + 4 k]`, on the device. `x`: `[tokens, d_model]`, normed. `inputs` are of the whole group.
    pub fn on_device(
        &self,
        x: &Tensor<2>,
        rule: DeviceRule,
        inputs: Option<&RoutingInputs>,
        taken: Taken<'_>,
        params: &mut ParamsCache,
    ) -> Tensor<2> {
        let gate = self.gate.matrix().expect("a rule is only decided on the device where all gates suit the kernels");
        let [d_model, num_experts] = gate.dims();
        let num_tokens = x.dims()[0];
        let (tokens, experts, k) = (num_tokens as u32, num_experts as u32, rule.k as u32);
        let gate_params = GateParams {
            num_tokens: tokens,
            d_model: d_model as u32,
            num_experts: experts,
            k,
            normalised: u32::from(rule.normalised),
        };
        let rows = ops::gate_top_k(x, gate, &params.get(gate_params.to_words()), rule.k);
        let order = if rule.by_confidence {
            let order_params = OrderParams { num_tokens: tokens, num_experts: experts, k };
            ops::token_order(&rows, &params.get(order_params.to_words()))
        } else {
            params.get((0..num_tokens as i32).collect())
        };
        let draws = match inputs {
            Some(inputs) if rule.random_second => {
                let draws = inputs.uniforms[taken.num_tokens..].to_vec();
                Tensor::from_data(TensorData::new(draws, [num_tokens]), &self.device)
            }
            _ => params.zeros(num_tokens),
        };
        let slot_params = SlotParams {
            num_tokens: tokens,
            num_experts: experts,
            k,
            capacity: rule.capacity.unwrap_or(u32::MAX),
            rank_major: u32::from(rule.rank_major),
            random_second: u32::from(rule.random_second),
            taken_offset: taken.layer as u32 * experts,
        };
        ops::assign_slots(&order, &draws, taken.slots, &params.get(slot_params.to_words()), rows, num_experts)
    }

    /// The same rows, made on the host, and what the whole group was decided by, and how. `earlier`: the gate logits of
    /// the group's tokens before these, `[tokens, experts]`.
    pub async fn on_host(
        &self,
        x: &Tensor<2>,
        router: &Router,
        inputs: Option<&RoutingInputs>,
        earlier: &[f32],
        params: &mut ParamsCache,
    ) -> Result<(Tensor<2>, GateLogits, Routing), TensorError> {
        let unchanged = RoutingInputs::default();
        let inputs = inputs.unwrap_or(&unchanged);
        let logits = self.gate.logits(x, params).await?;
        let logits = inputs.changes.bend(earlier.len() / logits.num_experts(), logits);
        let logits = GateLogits::new(logits.num_experts(), [earlier, logits.values()].concat());
        let logits = logits.map_err(|error| TensorError(error.to_string()))?;
        let bias = inputs.changes.bias(&self.selection_bias);
        let routing = router.try_route(&inputs.with(&logits).with_bias(&bias));
        let routing = routing.map_err(|error| TensorError(error.to_string()))?;
        if let Some(expert) = inputs.changes.asked_though_muted(&routing) {
            return Err(TensorError(format!("expert {expert} is muted, and {} asks it", router.rule_text())));
        }
        let rows = routing_rows::write(&logits, &inputs.changes.computed_by(&routing));
        let (num_tokens, width) = (x.dims()[0], rows.len() / logits.num_tokens());
        let of_these = rows[rows.len() - num_tokens * width..].to_vec();
        Ok((Tensor::from_data(TensorData::new(of_these, [num_tokens, width]), &self.device), logits, routing))
    }
}
