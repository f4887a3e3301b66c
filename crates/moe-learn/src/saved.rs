//! A learner as named numbers, and one that goes on from them as if nothing had happened, bit for bit: its weights, the
//! optimiser's two moments of each, and how often each was moved.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::record::OptimizerRecord;
use burn::tensor::{Bytes, DType, Tensor, TensorData};
use burn_pack::{Reader, Scalar, Writer};
use moe_model::architecture::{Architecture, Filed};
use moe_model::checkpoint::CheckpointError;
use moe_model::checkpoint::exact::Numbers;
use moe_model::read_back::read;
use moe_model::{TensorError, Weights};

use crate::learner::Learner;

/// What the optimiser keeps of a parameter, behind its name and a slash.
const MOMENTS: [&str; 2] = ["moment_1", "moment_2"];

/// All of a learner that changes while it learns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Saved {
    /// Parameters by their names in files, and their moments.
    pub tensors: BTreeMap<String, Numbers>,
    /// Steps that moved each parameter; one that never had a gradient has no moments.
    pub moved: BTreeMap<String, u64>,
}

/// What a learner is now.
pub async fn save(learner: &Learner) -> Result<Saved, TensorError> {
    let mut collector = Collector::default();
    filed(learner.weights.clone()).visit(&mut collector);
    let mut saved = Saved::default();
    let mut names = BTreeMap::new();
    for Parameter { name, id, shape, values } in collector.found {
        saved.tensors.insert(name.clone(), Numbers { shape, values: read(values).await? });
        names.insert(id, name);
    }
    let failed = |error: &dyn std::fmt::Display| TensorError(format!("the optimiser's state: {error}"));
    let bytes = learner.optimizer.to_record().into_bytes().map_err(|error| failed(&error))?;
    let record = Reader::from_bytes(bytes).map_err(|error| failed(&error))?;
    for (key, &steps) in record.scalars() {
        let id = key.strip_suffix(".momentum.time").and_then(|id| id.parse::<u64>().ok());
        if let Some(name) = id.and_then(|id| names.get(&id)) {
            let steps = u64::try_from(steps).map_err(|error| failed(&error))?;
            saved.moved.insert(name.clone(), steps);
        }
    }
    for tensor in record.into_tensors().map_err(|error| failed(&error))? {
        let (key, dtype, shape, id, bytes) = tensor.into_parts().map_err(|error| failed(&error))?;
        let name = id.and_then(|id| names.get(&id));
        let moment = MOMENTS.iter().find(|moment| key.ends_with(&format!(".{moment}")));
        if let (Some(name), Some(moment)) = (name, moment) {
            let data = TensorData::from_bytes(bytes, shape.clone(), dtype);
            let values = data.try_to_vec().map_err(|error| failed(&error))?;
            saved.tensors.insert(format!("{name}/{moment}"), Numbers { shape: shape.to_vec(), values });
        }
    }
    Ok(saved)
}

/// Puts a learner of the same sizes where that one was. What does not fit changes nothing.
pub fn restore(learner: &mut Learner, saved: &Saved) -> Result<(), CheckpointError> {
    let mut restorer = Restorer { saved, name: String::new(), record: Record::default(), error: None };
    let weights = filed(learner.weights.clone()).map(&mut restorer).weights;
    let Restorer { record, error, .. } = restorer;
    if let Some(error) = error {
        return Err(error);
    }
    let foreign = saved.tensors.keys().find(|name| !record.read.contains(name));
    if let Some(name) = foreign.or(saved.moved.keys().find(|name| !record.read.contains(name))) {
        return Err(CheckpointError::Foreign { name: name.clone() });
    }
    let unreadable = |error: &dyn std::fmt::Display| CheckpointError::Unreadable(error.to_string());
    let writer = record
        .scalars
        .iter()
        .fold(Writer::new(record.tensors), |writer, (key, value)| writer.with_scalar(key, Scalar::from(*value)));
    let bytes = writer.into_bytes().map_err(|error| unreadable(&error))?;
    let record = OptimizerRecord::from_bytes(bytes).map_err(|error| unreadable(&error))?;
    learner.optimizer = learner.optimizer.clone().load_record(record);
    learner.weights = weights;
    Ok(())
}

/// A walk through these meets the names of files.
fn filed(weights: Weights) -> Filed {
    Filed { weights, architecture: Architecture::MoePlayground }
}

struct Parameter {
    name: String,
    id: u64,
    shape: Vec<usize>,
    /// Flat.
    values: Tensor<1>,
}

#[derive(Default)]
struct Collector {
    name: String,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        name.clone_into(&mut self.name);
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let values = parameter.val();
        let shape = values.dims().to_vec();
        let values = values.reshape([shape.iter().product::<usize>()]);
        self.found.push(Parameter { name: self.name.clone(), id: parameter.id.val(), shape, values });
    }
}

/// What burn's optimiser loads, by the numbers of the parameters.
#[derive(Default)]
struct Record<'a> {
    tensors: Vec<burn_pack::Tensor>,
    scalars: Vec<(String, u64)>,
    /// Names that were asked for.
    read: Vec<&'a String>,
}

struct Restorer<'a> {
    saved: &'a Saved,
    name: String,
    record: Record<'a>,
    error: Option<CheckpointError>,
}

impl<'a> Restorer<'a> {
    /// The numbers of this name, if they have this shape.
    fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<&'a Numbers, CheckpointError> {
        let missing = || CheckpointError::Missing { name: name.to_owned() };
        let (key, numbers) = self.saved.tensors.get_key_value(name).ok_or_else(missing)?;
        self.record.read.push(key);
        if numbers.shape != shape || numbers.values.len() != shape.iter().product::<usize>() {
            let (found, expected) = (numbers.shape.clone(), shape.to_vec());
            return Err(CheckpointError::Shape { name: name.to_owned(), found, expected });
        }
        Ok(numbers)
    }

    fn parameter(&mut self, id: u64, shape: &[usize]) -> Result<&'a Numbers, CheckpointError> {
        let name = self.name.clone();
        if let Some((key, &steps)) = self.saved.moved.get_key_value(&name) {
            self.record.read.push(key);
            for moment in MOMENTS {
                let Numbers { shape, values } = self.numbers(&format!("{name}/{moment}"), shape)?.clone();
                let key = format!("{id}.momentum.{moment}");
                let tensor = burn_pack::Tensor::new(key, DType::F32, shape, Some(id), Bytes::from_elems(values));
                self.record.tensors.push(tensor);
            }
            self.record.scalars.push((format!("{id}.momentum.time"), steps));
            self.record.scalars.push((format!("{id}.__rank"), shape.len() as u64));
        }
        self.numbers(&name, shape)
    }
}

impl ModuleMapper for Restorer<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        name.clone_into(&mut self.name);
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = parameter.val().dims();
        match self.parameter(parameter.id.val(), &shape) {
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use moe_model::ModelConfig;
    use moe_trace::RoutingSpec;
    use moe_trace::training::{AuxiliaryLoss, WeightedLoss};

    use super::*;
    use crate::corpus::{Corpus, Domain};
    use crate::learner::LossValues;
    use crate::recipe::Recipe;

    fn learner(config: ModelConfig, seed: u64) -> Learner {
        let recipe = Recipe {
            seed,
            steps: usize::MAX,
            learning_rate: 1e-2,
            warm_up: 2,
            weight_decay: 0.1,
            gradient_clip: 1.0,
            losses: vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient: 1e-2 }],
            bias_step: 0.01,
        };
        Learner::new(config, RoutingSpec::default(), recipe, Device::flex()).expect("top-2 of 4")
    }

    fn steps(learner: &mut Learner, numbers: std::ops::Range<usize>) -> Vec<LossValues> {
        let ids: Vec<u16> = (0..600u32).map(|at| (at * at % 48) as u16).collect();
        let domain = Domain { name: "text".to_owned(), train: ids.clone(), valid: ids, valid_bytes_per_token: 1.0 };
        let corpus = Corpus { domains: vec![domain], vocab_size: 48 };
        let step = |step| {
            let batch = corpus.training_batch(2, 16, 3, step);
            pollster::block_on(learner.step(&batch, step)).expect("it learns").losses
        };
        numbers.map(step).collect()
    }

    #[test]
    fn another_learner_goes_on_bit_for_bit() {
        let config = ModelConfig { selection_bias: true, num_shared_experts: 1, ..ModelConfig::tiny() };
        let mut first = learner(config.clone(), 3);
        steps(&mut first, 0..4);
        let saved = pollster::block_on(save(&first)).expect("it can be saved");
        // A selection bias is moved by no gradient, so it has no moments.
        assert!(saved.tensors.keys().any(|name| name.contains("bias")));
        assert!(!saved.moved.keys().any(|name| name.contains("bias")), "{:?}", saved.moved);
        assert!(saved.moved.values().all(|steps| *steps == 4));
        let mut second = learner(config, 3);
        // It has moved elsewhere before.
        steps(&mut second, 7..9);
        restore(&mut second, &saved).expect("it fits");
        assert_eq!(pollster::block_on(save(&second)).expect("again"), saved);
        assert_eq!(steps(&mut second, 4..8), steps(&mut first, 4..8));
    }

    #[test]
    fn what_does_not_fit_is_named_and_changes_nothing() {
        let mut learner = learner(ModelConfig::tiny(), 3);
        steps(&mut learner, 0..1);
        let before = pollster::block_on(save(&learner)).expect("it can be saved");
        let mut check = |change: fn(&mut Saved), message: &str| {
            let mut saved = before.clone();
            change(&mut saved);
            let error = restore(&mut learner, &saved).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
            assert_eq!(pollster::block_on(save(&learner)).expect("again"), before);
        };
        check(|saved| drop(saved.tensors.remove("embedding")), "no tensor embedding");
        check(|saved| drop(saved.tensors.remove("embedding/moment_2")), "no tensor embedding/moment_2");
        check(|saved| saved.moved.retain(|name, _| name != "embedding"), "has a tensor embedding/moment_1");
        check(|saved| saved.moved.extend([("else".to_owned(), 1)]), "has a tensor else");
        let of_shape = |saved: &mut Saved| {
            saved.tensors.entry("final_norm".to_owned()).and_modify(|of| of.shape = vec![2, 8]);
        };
        check(of_shape, "the model needs [16]");
    }
}
