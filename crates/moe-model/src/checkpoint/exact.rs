//! Numbers kept to the last bit: safetensors in f32, and one text about them. What is saved of a training has this form.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::CheckpointError;
use super::loader::floats;

/// A tensor's shape and its numbers, row-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A file of such numbers, by their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exact {
    pub tensors: BTreeMap<String, Numbers>,
    /// What else must be known of them.
    pub about: String,
}

impl Exact {
    /// The bytes of a file of this kind. The same numbers give the same bytes.
    pub fn to_bytes(&self, kind: &'static str) -> Result<Vec<u8>, CheckpointError> {
        let buffers: Vec<(&str, &[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, of)| {
                let bytes = of.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (name.as_str(), &of.shape[..], bytes)
            })
            .collect();
        let views =
            buffers.iter().map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)));
        let about = HashMap::from([(kind.to_owned(), self.about.clone())]);
        views
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .and_then(|views| safetensors::serialize(views, Some(about)))
            .map_err(|error| CheckpointError::Unreadable(error.to_string()))
    }

    /// What a file of this kind holds: only finite numbers.
    pub fn from_bytes(bytes: &[u8], kind: &'static str) -> Result<Exact, CheckpointError> {
        let unreadable = |error: safetensors::SafeTensorError| CheckpointError::Unreadable(error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let about = header.metadata().as_ref().and_then(|about| about.get(kind));
        let about = about.ok_or(CheckpointError::Other { expected: kind })?.clone();
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(CheckpointError::Kind { name, found: view.dtype(), expected: "here all are F32" });
            }
            let values: Vec<f32> = floats(view.data()).collect();
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(CheckpointError::NotFinite { name, at, value: values[at] });
            }
            tensors.insert(name, Numbers { shape: view.shape().to_vec(), values });
        }
        Ok(Exact { tensors, about })
    }
}

#[cfg(test)]
mod tests {
    use moe_fuzz::{tensors, trial};

    use super::*;

    fn example() -> Exact {
        let numbers = |shape: &[usize], values: &[f32]| Numbers { shape: shape.to_vec(), values: values.to_vec() };
        let tensors = [("b", numbers(&[2, 2], &[0.1, -0.0, 1e-38, 3.0])), ("a", numbers(&[1], &[f32::MIN_POSITIVE]))];
        let tensors = tensors.map(|(name, of)| (name.to_owned(), of)).into();
        Exact { tensors, about: "{\"step\": 3}".to_owned() }
    }

    #[test]
    fn every_bit_comes_back() {
        let bytes = example().to_bytes("a kind").expect("it can be written");
        let back = Exact::from_bytes(&bytes, "a kind").expect("it can be read");
        assert_eq!(back, example());
        assert_eq!(back.tensors["b"].values[1].to_bits(), (-0.0f32).to_bits());
        assert_eq!(back.to_bytes("a kind").expect("again"), bytes);
    }

    #[test]
    fn another_kind_of_file_is_told_apart() {
        let bytes = example().to_bytes("a kind").expect("it can be written");
        let error = |bytes: &[u8], kind| Exact::from_bytes(bytes, kind).expect_err("another file").to_string();
        assert_eq!(error(&bytes, "another kind"), "the file is not of the kind \"another kind\"");
        assert!(error(b"hello", "a kind").starts_with("the weights file cannot be read"));
        assert!(error(&bytes[..bytes.len() - 1], "a kind").starts_with("the weights file cannot be read"));
        let mut infinite = example();
        infinite.tensors.entry("a".to_owned()).and_modify(|of| of.values[0] = f32::INFINITY);
        let infinite = infinite.to_bytes("a kind").expect("it can be written");
        assert_eq!(error(&infinite, "a kind"), "number 0 of tensor a is inf, not a finite number");
    }

    #[test]
    fn fuzz_exact() {
        let file = example().to_bytes("a kind").expect("it can be written");
        let read = |bytes: &[u8]| Exact::from_bytes(bytes, "a kind").is_ok();
        trial("exact", 500, |dice| tensors::spoilt(&file, dice), read);
    }
}
