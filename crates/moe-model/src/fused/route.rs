//! Where a layer's tokens go, as routing rows: decided by the kernels where they know the rule, else by `moe-router` on
//! the host.

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::params::{AloneParams, GateParams, OrderParams, RowParams, SlotParams};
use moe_kernels::{ops, routing_width};
use moe_router::Router;
use moe_trace::{GateLogits, Routing};

use super::constants::Constants;
use super::decided::Decided;
use super::device_rule::DeviceRule;
use super::gate::FusedGate;
use super::record::Record;
use crate::forms::gate::Gate;
use crate::read_back::{TensorError, read};
use crate::routing_inputs::RoutingInputs;
use crate::routing_rows;

/// What the kernels need to route by, besides states. Made before the first launch of a pass: an upload among launches ends
/// the submission that they are gathered in.
pub struct RoutedBy {
    rule: DeviceRule,
    /// Chance for each layer, `[tokens]`.
    draws: Vec<Tensor<1>>,
    /// `[tokens]`: as they come.
    order: Tensor<1, Int>,
    /// `[layers · experts]`: slots of tokens that earlier passes routed.
    taken: Tensor<1, Int>,
}

impl RoutedBy {
    /// `earlier`: what was decided about the group's tokens before these, by layer; `inputs` are of the whole group, by layer,
    /// or empty.
    pub fn new(
        rule: DeviceRule,
        num_tokens: usize,
        earlier: &[Decided],
        inputs: &[RoutingInputs],
        constants: &mut Constants,
    ) -> RoutedBy {
        let num_earlier = earlier.first().map_or(0, Decided::num_tokens);
        let draws = (0..earlier.len()).map(|layer| match inputs.get(layer) {
            Some(inputs) if rule.random_second => {
                let draws = inputs.uniforms[num_earlier..].to_vec();
                Tensor::from_data(TensorData::new(draws, [num_tokens]), constants.device())
            }
            _ => constants.zeros(num_tokens),
        });
        let draws = draws.collect();
        let taken: Vec<i32> = earlier.iter().flat_map(Decided::taken).collect();
        let taken = match num_earlier {
            0 => constants.ints(taken),
            _ => ops::int_tensor(taken, constants.device()),
        };
        RoutedBy { rule, draws, order: constants.ints((0..num_tokens as i32).collect()), taken }
    }
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

    /// The rows of `x` (`[tokens, d_model]`) after the norm, and their routing rows, `[tokens, experts + 4 k]`, which go into
    /// the record too.
    pub fn on_device(
        &self,
        x: &Tensor<2>,
        norm: &Tensor<1>,
        layer: usize,
        by: &RoutedBy,
        record: &mut Record,
    ) -> (Tensor<2>, Tensor<2>) {
        let gate = self.gate.matrix().expect("a rule is only decided on the device where all gates suit the kernels");
        let [d_model, num_experts] = gate.dims();
        let (rule, draws, taken) = (by.rule, &by.draws[layer], &by.taken);
        let len = x.dims()[0] * routing_width(num_experts, rule.k);
        let (num_tokens, d_model, k) = (x.dims()[0] as u32, d_model as u32, rule.k as u32);
        let (normalised, random_second) = (u32::from(rule.normalised), u32::from(rule.random_second));
        let capacity = rule.capacity.unwrap_or(u32::MAX);
        let (experts, taken_offset) = (num_experts as u32, (layer * num_experts) as u32);
        if rule.alone || num_tokens == 1 {
            return record.add_written(len, |record_offset, values| {
                let numbers = AloneParams {
                    num_tokens,
                    d_model,
                    num_experts: experts,
                    k,
                    normalised,
                    capacity,
                    random_second,
                    taken_offset,
                    record_offset,
                };
                let (values, normed, rows) = ops::route_alone(x, norm, gate, draws, taken, numbers, values, rule.k);
                (values, (normed, rows))
            });
        }
        let normed = ops::rms_norm(x, norm, RowParams { num_tokens, d_model });
        let gate_numbers = GateParams { num_tokens, d_model, num_experts: experts, k, normalised };
        let rows = ops::gate_top_k(&normed, gate, gate_numbers, rule.k);
        let order = match rule.by_confidence {
            true => ops::token_order(&rows, OrderParams { num_tokens, num_experts: experts, k }),
            false => by.order.clone(),
        };
        let rank_major = u32::from(rule.rank_major);
        let slots =
            SlotParams { num_tokens, num_experts: experts, k, capacity, rank_major, random_second, taken_offset };
        let rows = ops::assign_slots(&order, draws, taken, slots, rows, num_experts);
        record.add(&rows, 0, len);
        (normed, rows)
    }

    /// The same rows, made on the host, and what the whole group was decided by, and how. `earlier`: the gate logits of
    /// the group's tokens before these, `[tokens, experts]`.
    pub async fn on_host(
        &self,
        x: &Tensor<2>,
        router: &Router,
        inputs: Option<&RoutingInputs>,
        earlier: &[f32],
    ) -> Result<(Tensor<2>, GateLogits, Routing), TensorError> {
        let unchanged = RoutingInputs::default();
        let inputs = inputs.unwrap_or(&unchanged);
        let logits = self.gate.logits(x).await?;
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
