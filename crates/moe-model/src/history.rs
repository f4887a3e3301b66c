//! The history of a run as one safetensors file.
//!
//! `steps`: i32 `[moments]`. `choices`: u8 `[moments, layers, probe tokens, k]`, experts by rank, 255 where a token made
//! fewer requests. `probe`: i32 `[probe tokens]`, the ids that were routed. `collapse`: f32 `[moments, layers]`. Every
//! other tensor is a parameter by its name, f32 `[moments, numbers]`: the gates, and the norms before them.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

/// Its name beside the manifest.
pub const FILE: &str = "history.safetensors";

/// A run after some steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    pub step: usize,
    /// Everything that makes gate logits of a block's state: norm and gate, by name.
    pub gates: Vec<(String, Vec<f32>)>,
    /// `[layers][probe tokens][k]`: experts by rank, nobody turned away.
    pub choices: Vec<Vec<Vec<u32>>>,
    /// Representation collapse per layer (arXiv:2204.09179, eq. 10) over the probe tokens.
    pub collapse: Vec<f64>,
}

/// A history file that cannot be read, or moments that cannot be written as one.
#[derive(Debug, thiserror::Error)]
#[error("the history of a run: {0}")]
pub struct HistoryError(String);

impl From<safetensors::SafeTensorError> for HistoryError {
    fn from(error: safetensors::SafeTensorError) -> HistoryError {
        HistoryError(error.to_string())
    }
}

type Result<T> = std::result::Result<T, HistoryError>;

/// No expert.
const NOBODY: u8 = u8::MAX;

/// The bytes of a history file. All moments are of one run.
pub fn to_bytes(moments: &[Moment], probe: &[i32]) -> Result<Vec<u8>> {
    let first = moments.first().ok_or_else(|| HistoryError("there are no moments".to_owned()))?;
    let tokens = || moments.iter().flat_map(|moment| &moment.choices).flatten();
    let k = tokens().map(Vec::len).max().unwrap_or(0);
    let choices = tokens().flat_map(|experts| (0..k).map(|rank| experts.get(rank).map_or(NOBODY, |&e| e as u8)));
    let shape = vec![moments.len(), first.choices.len(), first.choices.first().map_or(0, Vec::len), k];
    let i32s = |values: &mut dyn Iterator<Item = i32>| values.flat_map(i32::to_le_bytes).collect::<Vec<u8>>();
    let f32s = |values: &mut dyn Iterator<Item = f32>| values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    let mut tensors = vec![
        ("choices".to_owned(), Dtype::U8, shape, choices.collect()),
        ("collapse".to_owned(), Dtype::F32, vec![moments.len(), first.collapse.len()], {
            f32s(&mut moments.iter().flat_map(|moment| &moment.collapse).map(|rc| *rc as f32))
        }),
        ("probe".to_owned(), Dtype::I32, vec![probe.len()], i32s(&mut probe.iter().copied())),
        ("steps".to_owned(), Dtype::I32, vec![moments.len()], {
            i32s(&mut moments.iter().map(|moment| moment.step as i32))
        }),
    ];
    for (at, (name, values)) in first.gates.iter().enumerate() {
        let all = f32s(&mut moments.iter().flat_map(|moment| moment.gates[at].1.iter().copied()));
        tensors.push((name.clone(), Dtype::F32, vec![moments.len(), values.len()], all));
    }
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)));
    let views = views.collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, None)?)
}

/// The moments of a history file.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Moment>> {
    let file = SafeTensors::deserialize(bytes)?;
    let words = |name: &str| -> Result<Vec<[u8; 4]>> {
        Ok(file.tensor(name)?.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect())
    };
    let f32s = |name: &str| Ok::<_, HistoryError>(words(name)?.into_iter().map(f32::from_le_bytes).collect::<Vec<_>>());
    let steps: Vec<i32> = words("steps")?.into_iter().map(i32::from_le_bytes).collect();
    let choices = file.tensor("choices")?;
    let &[num_moments, num_layers, num_tokens, k] = choices.shape() else {
        return Err(HistoryError("choices have four dimensions".to_owned()));
    };
    if num_moments != steps.len() || num_moments == 0 || k == 0 {
        return Err(HistoryError("there are no moments or choices".to_owned()));
    }
    let token = |experts: &[u8]| experts.iter().filter(|&&e| e != NOBODY).map(|&e| u32::from(e)).collect::<Vec<_>>();
    let tokens: Vec<Vec<u32>> = choices.data().chunks_exact(k).map(token).collect();
    let collapse: Vec<f64> = f32s("collapse")?.into_iter().map(f64::from).collect();
    let mut parameters = BTreeMap::new();
    for name in file.names().into_iter().filter(|name| name.contains('.')) {
        parameters.insert(name.to_owned(), f32s(name)?);
    }
    let moment = |at: usize| Moment {
        step: steps[at] as usize,
        gates: parameters
            .iter()
            .map(|(name, values)| {
                let len = values.len() / num_moments;
                (name.clone(), values[at * len..(at + 1) * len].to_vec())
            })
            .collect(),
        choices: (0..num_layers)
            .map(|layer| tokens[(at * num_layers + layer) * num_tokens..][..num_tokens].to_vec())
            .collect(),
        collapse: collapse[at * num_layers..(at + 1) * num_layers].to_vec(),
    };
    Ok((0..num_moments).map(moment).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let moment = |step: usize| Moment {
            step,
            gates: vec![("blocks.0.gate".to_owned(), vec![step as f32, 0.5]), ("blocks.1.gate".to_owned(), vec![2.0])],
            choices: vec![vec![vec![3, 1], vec![0]], vec![vec![], vec![2, step as u32]]],
            collapse: vec![0.25, 4.0],
        };
        let moments = vec![moment(0), moment(7)];
        let bytes = to_bytes(&moments, &[5, 6]).expect("it can be written");
        assert_eq!(from_bytes(&bytes).expect("it can be read"), moments);
        assert!(from_bytes(&bytes[..40]).is_err());
    }
}
