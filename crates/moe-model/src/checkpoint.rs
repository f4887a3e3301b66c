//! Weights on disk: safetensors, matrices as 8-bit whole numbers in blocks, the rest as f32.
//!
//! A block is 64 neighbouring numbers of the flattened tensor; each has a scale in f32 and values in −127..=127. What
//! each tensor is called, and whether it stays f32 (gates and norms), is said by the architecture's table of names.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::architecture::{Architecture, Role};
use crate::config::ModelConfig;
use crate::weights::Weights;

/// Numbers that share a scale.
const BLOCK: usize = 64;

/// A weights file that does not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the weights file cannot be read: {0}")]
    Unreadable(String),
    #[error("the weights file has no tensor {name}")]
    Missing { name: String },
    #[error("tensor {name} has {found} numbers; the model needs {expected}")]
    Size { name: String, found: usize, expected: usize },
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

/// The weights a file holds, on a device.
pub fn from_bytes(
    bytes: &[u8],
    architecture: Architecture,
    config: &ModelConfig,
    device: &Device,
) -> Result<Weights, CheckpointError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| CheckpointError::Unreadable(error.to_string()))?;
    let mut loader = Loader { file, architecture, device: device.clone(), path: Vec::new(), error: None };
    let weights = Weights::zeros(config, device).map(&mut loader);
    match loader.error {
        Some(error) => Err(error),
        None => Ok(weights),
    }
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

fn dequantise(quantised: &[u8], scales: &[u8]) -> Vec<f32> {
    let scales = floats(scales);
    let blocks = quantised.chunks(BLOCK).zip(scales);
    blocks.flat_map(|(block, scale)| block.iter().map(move |q| f32::from(*q as i8) * scale)).collect()
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
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

struct Loader<'a> {
    file: SafeTensors<'a>,
    architecture: Architecture,
    device: Device,
    path: Vec<String>,
    error: Option<CheckpointError>,
}

impl Loader<'_> {
    /// Of the parameter at the present path.
    fn values(&self, expected: usize) -> Result<Vec<f32>, CheckpointError> {
        let in_file = self.architecture.in_file(&self.path);
        let (name, _) = in_file.ok_or_else(|| CheckpointError::Missing { name: self.path.join(".") })?;
        let missing = |name: &str| CheckpointError::Missing { name: name.to_owned() };
        let view = self.file.tensor(&name).map_err(|_| missing(&name))?;
        let values = match view.dtype() {
            Dtype::I8 => {
                let scale = format!("{name}.scale");
                let scales = self.file.tensor(&scale).map_err(|_| missing(&scale))?;
                dequantise(view.data(), scales.data())
            }
            _ => floats(view.data()).collect(),
        };
        match values.len() == expected {
            true => Ok(values),
            false => Err(CheckpointError::Size { name, found: values.len(), expected }),
        }
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape();
        match self.values(shape.num_elements()) {
            Ok(values) => {
                let tensor = Tensor::from_data(TensorData::new(values, shape), &self.device);
                param.map(|_| tensor)
            }
            Err(error) => {
                self.error.get_or_insert(error);
                param
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::gate::GateConfig;

    #[test]
    fn quantising_is_off_by_half_a_step_at_most() {
        let values: Vec<f32> = (0..130).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let (quantised, scales) = quantise(&values);
        assert_eq!(scales.len(), 3);
        let bytes: Vec<u8> = quantised.iter().map(|q| *q as u8).collect();
        let scale_bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
        for (value, back) in values.iter().zip(dequantise(&bytes, &scale_bytes)) {
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
