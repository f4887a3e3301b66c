//! Adapters as named numbers, and back, bit for bit.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use moe_model::TensorError;
use moe_model::checkpoint::CheckpointError;
use moe_model::checkpoint::exact::Numbers;
use moe_model::forms::adapters::Adapters;
use moe_model::read_back::read;

/// Every parameter by its name, such as `layers.0.down`.
pub async fn numbers(adapters: &Adapters) -> Result<BTreeMap<String, Numbers>, TensorError> {
    let mut collector = Collector::default();
    adapters.visit(&mut collector);
    let mut found = BTreeMap::new();
    for (name, shape, values) in collector.found {
        found.insert(name, Numbers { shape, values: read(values).await? });
    }
    Ok(found)
}

/// The adapters with these numbers in place of their own; they must be of the same sizes.
pub fn load(adapters: Adapters, numbers: &BTreeMap<String, Numbers>) -> Result<Adapters, CheckpointError> {
    let mut loader = Loader { numbers, path: Vec::new(), read: Vec::new(), error: None };
    let adapters = adapters.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    match numbers.keys().find(|name| !loader.read.contains(name)) {
        Some(name) => Err(CheckpointError::Foreign { name: name.clone() }),
        None => Ok(adapters),
    }
}

/// Modules in between are a matter of ours: `layers.0.experts.Lora.down` is `layers.0.down`.
fn name(path: &[String]) -> String {
    let is_ours = |part: &&String| !matches!(part.as_str(), "experts" | "Lora" | "Vectors");
    path.iter().filter(is_ours).map(String::as_str).collect::<Vec<_>>().join(".")
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    /// Names, shapes, and the numbers, flat.
    found: Vec<(String, Vec<usize>, Tensor<1>)>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let values = parameter.val();
        let shape = values.dims().to_vec();
        let values = values.reshape([shape.iter().product::<usize>()]);
        self.found.push((name(&self.path), shape, values));
    }
}

struct Loader<'a> {
    numbers: &'a BTreeMap<String, Numbers>,
    path: Vec<String>,
    /// Names that were asked for.
    read: Vec<&'a String>,
    error: Option<CheckpointError>,
}

impl<'a> Loader<'a> {
    /// The numbers of this name, if they have this shape.
    fn find(&mut self, shape: &[usize]) -> Result<&'a Numbers, CheckpointError> {
        let name = name(&self.path);
        let found = self.numbers.get_key_value(&name);
        let (key, found) = found.ok_or_else(|| CheckpointError::Missing { name: name.clone() })?;
        self.read.push(key);
        if found.shape != shape || found.values.len() != shape.iter().product::<usize>() {
            let (found, expected) = (found.shape.clone(), shape.to_vec());
            return Err(CheckpointError::Shape { name, found, expected });
        }
        Ok(found)
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = parameter.val().dims();
        match self.find(&shape) {
            Ok(numbers) => parameter.map(|before| {
                let data = TensorData::new(numbers.values.clone(), shape);
                Tensor::from_data(data, &before.device()).set_require_grad(before.is_require_grad())
            }),
            Err(error) => {
                self.error.get_or_insert(error);
                parameter
            }
        }
    }
}
