//! What a step learns from: windows of text and the token that follows each of theirs.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use moe_model::RoutingInputs;

/// Token ids and the token that follows each, `[sequences, tokens]` row-major.
pub struct Batch {
    pub ids: Vec<i32>,
    pub targets: Vec<i32>,
    pub num_sequences: usize,
    pub num_tokens: usize,
}

/// `[sequences, tokens]` whole numbers and their successors.
pub type IdsAndTargets = (Tensor<2, Int>, Tensor<2, Int>);

impl Batch {
    /// Windows of `num_tokens + 1` tokens.
    pub fn new<'a>(windows: impl Iterator<Item = &'a [u16]>, num_tokens: usize) -> Batch {
        let mut batch = Batch { ids: Vec::new(), targets: Vec::new(), num_sequences: 0, num_tokens };
        for window in windows {
            batch.ids.extend(window[..num_tokens].iter().map(|&id| i32::from(id)));
            batch.targets.extend(window[1..].iter().map(|&id| i32::from(id)));
            batch.num_sequences += 1;
        }
        batch
    }

    /// What routing sees of a sequence besides gate logits. `draws`: of a layer, for all tokens of the batch in order;
    /// or none.
    pub fn routing_inputs(&self, draws: &RoutingInputs, sequence: usize) -> RoutingInputs {
        let positions = sequence * self.num_tokens..(sequence + 1) * self.num_tokens;
        let ids: Vec<u32> = self.ids[positions.clone()].iter().map(|&id| id as u32).collect();
        draws.at(positions, &ids)
    }

    pub fn to_tensors(&self, device: &Device) -> IdsAndTargets {
        let tensor = |values: &[i32]| -> Tensor<2, Int> {
            let data = TensorData::new(values.to_vec(), [self.num_sequences, self.num_tokens]);
            Tensor::from_data(data, (device, DType::I32))
        };
        (tensor(&self.ids), tensor(&self.targets))
    }
}
