//! Weights on disk: safetensors, matrices as 8-bit whole numbers in blocks, the rest as f32.
//!
//! A block is 64 neighbouring numbers of the flattened tensor; each has a scale in f32 and values in −127..=127. What
//! each tensor is called, and whether it stays f32 (gates and norms), is said by the architecture's table of names.

pub mod exact;
mod loader;
mod packed;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use safetensors::tensor::{Dtype, TensorView};

use crate::architecture::{Architecture, Role};
use crate::weights::Weights;
pub use loader::from_bytes;
pub use packed::packed_from_bytes;

/// Numbers that share a scale.
const BLOCK: usize = 64;

/// A weights file that does not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the weights file cannot be read: {0}")]
    Unreadable(String),
    #[error("the weights file has no tensor {name}")]
    Missing { name: String },
    #[error("tensor {name} is of the shape {found:?}; the model needs {expected:?}")]
    Shape { name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("tensor {name} holds numbers of the kind {found:?}; {expected}")]
    Kind { name: String, found: Dtype, expected: &'static str },
    #[error("number {at} of tensor {name} is {value}, not a finite number")]
    NotFinite { name: String, at: usize, value: f32 },
    #[error("the weights file has a tensor {name}, and the model none of this name")]
    Foreign { name: String },
    #[error("the file is not of the kind \"{expected}\"")]
    Other { expected: &'static str },
}

/// A parameter by its name in a file, with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// All parameters in order, read back synchronously: for native use.
pub fn named(weights: &Weights, architecture: Architecture) -> Vec<Named> {
    let mut collector = Collector { architecture, path: Vec::new(), found: Vec::new() };
    weights.visit(&mut collector);
    collector.found
}

/// The bytes of a weights file.
pub fn to_bytes(parameters: &[Named]) -> Result<Vec<u8>, CheckpointError> {
    let mut buffers: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for Named { name, role, shape, values } in parameters {
        if *role != Role::Matrix {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            buffers.push((name.clone(), Dtype::F32, shape.clone(), bytes));
        } else {
            let (quantised, scales) = quantise(values);
            let scales_len = scales.len();
            buffers.push((name.clone(), Dtype::I8, shape.clone(), quantised.iter().map(|q| *q as u8).collect()));
            let bytes = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
            buffers.push((format!("{name}.scale"), Dtype::F32, vec![scales_len], bytes));
        }
    }
    let views = buffers
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .and_then(|views| safetensors::serialize(views, None));
    views.map_err(|error| CheckpointError::Unreadable(error.to_string()))
}

/// Blocks of 64: the scale is the largest magnitude / 127.
fn quantise(values: &[f32]) -> (Vec<i8>, Vec<f32>) {
    let mut quantised = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len().div_ceil(BLOCK));
    for block in values.chunks(BLOCK) {
        let largest = block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        let divisor = if scale == 0.0 { 1.0 } else { scale };
        quantised.extend(block.iter().map(|value| (value / divisor).round().clamp(-127.0, 127.0) as i8));
        scales.push(scale);
    }
    (quantised, scales)
}

struct Collector {
    architecture: Architecture,
    path: Vec<String>,
    found: Vec<Named>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().try_to_vec().expect("parameters are f32");
        let in_file = self.architecture.in_file(&self.path);
        let (name, role) = in_file.expect("every parameter has a row in its architecture's table, as a test checks");
        self.found.push(Named { name, role, shape, values });
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use moe_fuzz::json::{spoil, spoilt_text};
    use moe_fuzz::{Dice, trial};
    use serde_json::{Value, json};

    use super::loader::dequantise;
    use super::*;
    use crate::config::ModelConfig;
    use crate::forms::gate::GateConfig;

    #[test]
    fn quantising_is_off_by_half_a_step_at_most() {
        let values: Vec<f32> = (0..130).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let (quantised, scales) = quantise(&values);
        assert_eq!(scales.len(), 3);
        let bytes: Vec<u8> = quantised.iter().map(|q| *q as u8).collect();
        for (value, back) in values.iter().zip(dequantise(&bytes, &scales)) {
            assert!((value - back).abs() <= 0.501 / 127.0, "{value} came back as {back}");
        }
    }

    /// Every form of gate, with every optional part.
    fn all_forms() -> Vec<ModelConfig> {
        let full = ModelConfig { num_shared_experts: 1, selection_bias: true, ..ModelConfig::tiny() };
        GateConfig::EXAMPLES.map(|gate| ModelConfig { gate, ..full.clone() }).to_vec()
    }

    #[test]
    fn a_file_written_is_a_file_read() {
        let (device, ours) = (Device::flex(), Architecture::MoePlayground);
        for config in all_forms() {
            let weights = Weights::random(&config, 3, &device);
            let bytes = to_bytes(&named(&weights, ours)).expect("it can be written");
            let read = from_bytes(&bytes, ours, &config, &device).expect("it can be read");
            for (before, after) in named(&weights, ours).iter().zip(named(&read, ours)) {
                assert_eq!((&before.name, &before.shape), (&after.name, &after.shape));
                let largest = before.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                for (a, b) in before.values.iter().zip(after.values) {
                    assert!((a - b).abs() <= largest * 0.501 / 127.0 + 1e-7, "{} {a} {b}", before.name);
                }
            }
            let error = from_bytes(&bytes, ours, &ModelConfig::small(48), &device).expect_err("another model");
            assert!(error.to_string().contains("the model needs"), "{error}");
        }
    }

    /// A file with a part of it changed: the header's JSON, or the numbers.
    fn changed(file: &[u8], header: impl FnOnce(&mut Value), numbers: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let (len, rest) = file.split_at(8);
        let len = u64::from_le_bytes(len.try_into().expect("eight bytes")) as usize;
        let mut json: Value = serde_json::from_slice(&rest[..len]).expect("the header is JSON");
        header(&mut json);
        let mut data = rest[len..].to_vec();
        numbers(&mut data);
        let json = json.to_string().into_bytes();
        [&(json.len() as u64).to_le_bytes()[..], &json, &data].concat()
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (device, ours, config) = (Device::flex(), Architecture::MoePlayground, ModelConfig::tiny());
        let file = to_bytes(&named(&Weights::random(&config, 3, &device), ours)).expect("it can be written");
        let check = |file: &[u8], message: &str| {
            let error = from_bytes(file, ours, &config, &device).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
            let packed = packed_from_bytes(file, ours, &config).expect_err(message).to_string();
            assert!(packed.starts_with(message), "{packed}");
        };
        let of_header = |change: fn(&mut Value)| changed(&file, change, |_| {});
        let norm = named(&Weights::zeros(&config, &device), ours).into_iter().find(|named| named.role != Role::Matrix);
        let norm = norm.expect("something stays f32").name;
        let json: Value = {
            let mut found = Value::Null;
            changed(&file, |header| found = header.clone(), |_| {});
            found
        };
        let at = json[&norm]["data_offsets"][0].as_u64().expect("an offset") as usize;
        let infinite = changed(&file, |_| {}, |data| data[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes()));
        check(&infinite, &format!("number 0 of tensor {norm} is NaN, not a finite number"));
        let kind = changed(&file, |header| header[&norm]["dtype"] = json!("I32"), |_| {});
        check(&kind, &format!("tensor {norm} holds numbers of the kind I32; weights are F32"));
        let shape = changed(&file, |header| header[&norm]["shape"] = json!([1, config.d_model]), |_| {});
        check(&shape, &format!("tensor {norm} is of the shape [1, 16]; the model needs [16]"));
        let renamed = changed(
            &file,
            |header| {
                let tensor = header[&norm].take();
                header.as_object_mut().expect("an object").remove(&norm);
                header["else"] = tensor;
            },
            |_| {},
        );
        check(&renamed, &format!("the weights file has no tensor {norm}"));
        let more = of_header(|header| header["more"] = json!({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}));
        check(&more, "the weights file has a tensor more, and the model none of this name");
        check(&file[..file.len() - 1], "the weights file cannot be read");
    }

    #[test]
    fn fuzz_weights() {
        let (device, ours, config) = (Device::flex(), Architecture::MoePlayground, ModelConfig::tiny());
        let config = ModelConfig { num_layers: 1, vocab_size: 8, d_expert: 4, ..config };
        let file = to_bytes(&named(&Weights::random(&config, 3, &device), ours)).expect("it can be written");
        let make = |dice: &mut Dice| {
            let seed = dice.u64();
            let of_header = |header: &mut Value| {
                if !seed.is_multiple_of(3) {
                    spoil(header, &mut Dice::new(seed))
                }
            };
            let of_numbers = |data: &mut Vec<u8>| {
                let at = Dice::new(seed).below(data.len());
                data[at] = data[at].wrapping_add(1 + seed as u8 % 255);
            };
            let file = changed(&file, of_header, of_numbers);
            spoilt_text(file, dice)
        };
        trial("weights", 500, make, |bytes| {
            let is_packed = packed_from_bytes(bytes, ours, &config).is_ok();
            assert_eq!(from_bytes(bytes, ours, &config, &device).is_ok(), is_packed, "both ways of loading agree");
            is_packed
        });
    }

    #[test]
    fn every_name_of_the_table_is_that_of_a_parameter() {
        let device = Device::flex();
        let block = |name: &str| name.replace(".0.", ".*.").replace(".1.", ".*.");
        for architecture in [Architecture::MoePlayground] {
            let found: Vec<(String, Role)> = all_forms()
                .iter()
                .flat_map(|config| named(&Weights::zeros(config, &device), architecture))
                .map(|parameter| (block(&parameter.name), parameter.role))
                .collect();
            for name in architecture.names() {
                assert!(found.contains(&(name.theirs.to_owned(), name.role)), "{name:?} is of no parameter");
            }
        }
    }
}
