//! Weights out of a file for the CPU: matrices stay 8 bit, and are not unpacked on the way.

use moe_kernels::cpu::packed::{PackedExperts, PackedMatrix, Stored};
use moe_kernels::device;

use super::loader::{Filed, Loader};
use super::{CheckpointError, quantise};
use crate::architecture::Architecture;
use crate::config::ModelConfig;
use crate::forms::initial::Initial;
use crate::packed::{PackedAttention, PackedBlock, PackedWeights};

/// The weights a file holds. A matrix that a file has in f32 is rounded to 8 bits first.
pub fn packed_from_bytes(
    bytes: &[u8],
    architecture: Architecture,
    config: &ModelConfig,
) -> Result<PackedWeights, CheckpointError> {
    let mut loader = Loader::new(bytes, architecture, &device::cpu())?;
    let ModelConfig { d_model, vocab_size, .. } = *config;
    let head = loader.packed(&["embedding"], &[vocab_size, d_model], |stored| {
        PackedMatrix::transposed(stored, d_model, vocab_size)
    })?;
    let blocks = (0..config.num_layers).map(|layer| loader.block(layer, config)).collect::<Result<_, _>>()?;
    let final_norm = loader.vector(&["final_norm"], d_model)?;
    loader.finish()?;
    Ok(PackedWeights { head, blocks, final_norm })
}

impl Loader<'_> {
    fn block(&mut self, layer: usize, config: &ModelConfig) -> Result<PackedBlock, CheckpointError> {
        let ModelConfig { d_model, num_experts, d_expert, .. } = *config;
        let layer = layer.to_string();
        let at = |parts: &[&'static str]| -> Vec<&str> { [&["blocks", layer.as_str()], parts].concat() };
        let device = device::cpu();
        let mut initial = Initial::zeros(config.num_layers, &device);
        let columns = config.gate.init_columns(d_model, num_experts, &mut initial);
        let gate = config.gate.init(columns, d_model, &mut initial);
        let bias = config.selection_bias.then(|| initial.constant([num_experts], 0.0));
        let attention = config.attention();
        let (d_queries, d_keys) = (attention.d_queries(), attention.d_keys());
        Ok(PackedBlock {
            attention_norm: self.vector(&at(&["attention_norm"]), d_model)?,
            attention: PackedAttention {
                config: attention,
                w_qkv: self.matrix(&at(&["attention", "w_qkv"]), d_model, d_queries + 2 * d_keys)?,
                w_out: self.matrix(&at(&["attention", "w_out"]), d_queries, d_model)?,
            },
            moe_norm: self.vector(&at(&["moe_norm"]), d_model)?,
            gate: self.module(&at(&["gate"]), gate)?,
            selection_bias: bias.map(|bias| self.module(&at(&["selection_bias"]), bias)).transpose()?,
            experts: PackedExperts {
                w_gate: self.matrices(&at(&["experts", "w_gate"]), num_experts, d_model, d_expert)?,
                w_up: self.matrices(&at(&["experts", "w_up"]), num_experts, d_model, d_expert)?,
                w_down: self.matrices(&at(&["experts", "w_down"]), num_experts, d_expert, d_model)?,
            },
            shared_experts: match config.shared_experts().map(|shared| shared.d_shared()) {
                None => None,
                Some(d_shared) => Some(PackedExperts {
                    w_gate: vec![self.matrix(&at(&["shared_experts", "w_gate"]), d_model, d_shared)?],
                    w_up: vec![self.matrix(&at(&["shared_experts", "w_up"]), d_model, d_shared)?],
                    w_down: vec![self.matrix(&at(&["shared_experts", "w_down"]), d_shared, d_model)?],
                }),
            },
        })
    }

    fn matrix(&mut self, path: &[&str], d_in: usize, d_out: usize) -> Result<PackedMatrix, CheckpointError> {
        self.packed(path, &[d_in, d_out], |stored| PackedMatrix::new(stored, 0, d_in, d_out))
    }

    /// One of each expert.
    fn matrices(
        &mut self,
        path: &[&str],
        num_experts: usize,
        d_in: usize,
        d_out: usize,
    ) -> Result<Vec<PackedMatrix>, CheckpointError> {
        self.packed(path, &[num_experts, d_in, d_out], |stored| {
            (0..num_experts).map(|expert| PackedMatrix::new(stored, expert * d_in * d_out, d_in, d_out)).collect()
        })
    }

    fn packed<T>(
        &mut self,
        path: &[&str],
        shape: &[usize],
        pack: impl FnOnce(Stored<'_>) -> T,
    ) -> Result<T, CheckpointError> {
        Ok(match self.filed(path, shape)? {
            Filed::I8(values, scales) => pack(Stored { values, scales: &scales }),
            Filed::F32(values) => {
                let (values, scales) = quantise(&values);
                let values: Vec<u8> = values.into_iter().map(i8::cast_unsigned).collect();
                pack(Stored { values: &values, scales: &scales })
            }
        })
    }
}
