//! Weights out of a file.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{BLOCK, CheckpointError};
use crate::architecture::Architecture;
use crate::config::ModelConfig;
use crate::weights::Weights;

/// The weights a file holds, on a device.
pub fn from_bytes(
    bytes: &[u8],
    architecture: Architecture,
    config: &ModelConfig,
    device: &Device,
) -> Result<Weights, CheckpointError> {
    let mut loader = Loader::new(bytes, architecture, device)?;
    let weights = loader.module(&[], Weights::zeros(config, device))?;
    loader.finish()?;
    Ok(weights)
}

/// A file that is being read.
pub struct Loader<'a> {
    file: SafeTensors<'a>,
    architecture: Architecture,
    device: Device,
    path: Vec<String>,
    /// Names of the tensors that were asked for.
    read: BTreeSet<String>,
    error: Option<CheckpointError>,
}

/// The numbers of a tensor as they lie in the file.
pub enum Filed<'a> {
    F32(Vec<f32>),
    /// `i8` by their bits, and the scales of blocks.
    I8(&'a [u8], Vec<f32>),
}

impl<'a> Loader<'a> {
    pub fn new(bytes: &'a [u8], architecture: Architecture, device: &Device) -> Result<Loader<'a>, CheckpointError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| CheckpointError::Unreadable(error.to_string()))?;
        let device = device.clone();
        Ok(Loader { file, architecture, device, path: Vec::new(), read: BTreeSet::new(), error: None })
    }

    /// The parameters of a module at a path of modules.
    pub fn module<M: Module>(&mut self, path: &[&str], module: M) -> Result<M, CheckpointError> {
        self.path = path.iter().map(|&part| part.to_owned()).collect();
        let module = module.map(self);
        self.error.take().map_or(Ok(module), Err)
    }

    /// A parameter that is a vector, and no part of another module.
    pub fn vector(&mut self, path: &[&str], len: usize) -> Result<Tensor<1>, CheckpointError> {
        let values = self.values(path, &[len])?;
        Ok(Tensor::from_data(TensorData::new(values, [len]), &self.device))
    }

    /// Refuses a file with tensors that nobody asked for.
    pub fn finish(self) -> Result<(), CheckpointError> {
        let foreign = self.file.names().into_iter().filter(|name| !self.read.contains(*name)).min();
        foreign.map_or(Ok(()), |name| Err(CheckpointError::Foreign { name: name.to_owned() }))
    }

    /// Of the parameter at a path: as many finite numbers as its shape says.
    fn values(&mut self, path: &[impl AsRef<str>], shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        Ok(match self.filed(path, shape)? {
            Filed::F32(values) => values,
            Filed::I8(values, scales) => dequantise(values, &scales),
        })
    }

    /// Of the parameter at a path: as many numbers as its shape says, none of which is infinite.
    pub fn filed(&mut self, path: &[impl AsRef<str>], shape: &[usize]) -> Result<Filed<'a>, CheckpointError> {
        let path: Vec<String> = path.iter().map(|part| part.as_ref().to_owned()).collect();
        let in_file = self.architecture.in_file(&path);
        let (name, _) = in_file.ok_or_else(|| CheckpointError::Missing { name: path.join(".") })?;
        let view = self.tensor(&name, shape)?;
        match view.dtype() {
            Dtype::F32 => {
                let values: Vec<f32> = floats(view.data()).collect();
                match values.iter().position(|value| !value.is_finite()) {
                    Some(at) => Err(CheckpointError::NotFinite { name, at, value: values[at] }),
                    None => Ok(Filed::F32(values)),
                }
            }
            Dtype::I8 => {
                let scales = self.scales(&name, shape.iter().product::<usize>().div_ceil(BLOCK))?;
                let blocks = view.data().chunks(BLOCK).zip(&scales).enumerate();
                let wrong =
                    blocks.filter(|(_, (_, scale))| !(**scale * 128.0).is_finite()).find_map(|(at, (block, scale))| {
                        let values = block.iter().map(|q| f32::from(q.cast_signed()) * scale);
                        (at * BLOCK..).zip(values).find(|(_, value)| !value.is_finite())
                    });
                match wrong {
                    Some((at, value)) => Err(CheckpointError::NotFinite { name, at, value }),
                    None => Ok(Filed::I8(view.data(), scales)),
                }
            }
            found => Err(CheckpointError::Kind { name, found, expected: "weights are F32, or I8 with scales" }),
        }
    }

    /// Of the blocks of the tensor of this name.
    fn scales(&mut self, name: &str, num_blocks: usize) -> Result<Vec<f32>, CheckpointError> {
        let name = format!("{name}.scale");
        let view = self.tensor(&name, &[num_blocks])?;
        match view.dtype() {
            Dtype::F32 => Ok(floats(view.data()).collect()),
            found => Err(CheckpointError::Kind { name, found, expected: "scales are F32" }),
        }
    }

    /// The tensor of this name, if it has this shape.
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<TensorView<'a>, CheckpointError> {
        self.read.insert(name.to_owned());
        let view = self.file.tensor(name).map_err(|_| CheckpointError::Missing { name: name.to_owned() })?;
        match view.shape() == shape {
            true => Ok(view),
            false => {
                let (found, expected) = (view.shape().to_vec(), shape.to_vec());
                Err(CheckpointError::Shape { name: name.to_owned(), found, expected })
            }
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
        let path = self.path.clone();
        match self.values(&path, &shape.to_vec()) {
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

pub fn dequantise(quantised: &[u8], scales: &[f32]) -> Vec<f32> {
    let blocks = quantised.chunks(BLOCK).zip(scales);
    blocks.flat_map(|(block, scale)| block.iter().map(move |q| f32::from(q.cast_signed()) * scale)).collect()
}

pub fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
