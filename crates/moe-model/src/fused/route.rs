//! Where a layer's tokens go, as routing rows: decided by the kernels where they know the rule, else by `moe-router` on
//! the host.

use burn::tensor::{Device, Tensor, TensorData};
use moe_kernels::ops;
use moe_kernels::params::{GateParams, OrderParams, SlotParams};
use moe_router::{Router, RouterInput};
use moe_trace::{GateLogits, Routing};

use super::device_rule::DeviceRule;
use super::gate::FusedGate;
use super::params::ParamsCache;
use crate::read_back::{TensorError, read};
use crate::routing_inputs::RoutingInputs;
use crate::routing_rows;
use crate::weights::Block;

/// What decides about a layer's tokens.
pub struct LayerRouter {
    gate: FusedGate,
    /// `[experts]`, or empty.
    selection_bias: Vec<f32>,
    device: Device,
}

impl LayerRouter {
    pub async fn new(block: &Block, device: &Device) -> Result<LayerRouter, TensorError> {
        Ok(LayerRouter {
            gate: FusedGate::new(block.gate.clone()).await?,
            selection_bias: match &block.selection_bias {
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

    /// Rows, `[tokens, experts + 4 k]`, on the device. `x`: `[tokens, d_model]`, normed.
    pub fn on_device(
        &self,
        x: &Tensor<2>,
        rule: DeviceRule,
        inputs: Option<&RoutingInputs>,
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
                Tensor::from_data(TensorData::new(inputs.uniforms.clone(), [num_tokens]), &self.device)
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
        };
        ops::assign_slots(&order, &draws, &params.get(slot_params.to_words()), rows, num_experts)
    }

    /// The same rows, made on the host, and what they say.
    pub async fn on_host(
        &self,
        x: &Tensor<2>,
        router: &Router,
        inputs: Option<&RoutingInputs>,
        params: &mut ParamsCache,
    ) -> Result<(Tensor<2>, GateLogits, Routing), TensorError> {
        let logits = self.gate.logits(x, params).await?;
        let input = inputs.map_or_else(|| RouterInput::new(&logits), |inputs| inputs.with(&logits));
        let routing = router.try_route(&input.with_bias(&self.selection_bias));
        let routing = routing.map_err(|error| TensorError(error.to_string()))?;
        let rows = routing_rows::write(&logits, &routing);
        let num_tokens = x.dims()[0];
        let shape = [num_tokens, rows.len() / num_tokens];
        Ok((Tensor::from_data(TensorData::new(rows, shape), &self.device), logits, routing))
    }
}
