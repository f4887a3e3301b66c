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

/// Of each moment and layer the mean part of a probe token's experts that are among those of the last moment,
/// `[moments, layers]`.
pub fn saturation(moments: &[Moment]) -> Vec<f32> {
    let Some(last) = moments.last() else { return Vec::new() };
    let of_layer = |(now, end): (&Vec<Vec<u32>>, &Vec<Vec<u32>>)| {
        // Where all tokens ask k experts it is `moe_router::measure::router_saturation`.
        let common = |(now, end): (&Vec<u32>, &Vec<u32>)| now.iter().filter(|expert| end.contains(expert)).count();
        let asked: usize = now.iter().map(Vec::len).sum();
        now.iter().zip(end).map(common).sum::<usize>() as f32 / asked.max(1) as f32
    };
    moments.iter().flat_map(|moment| moment.choices.iter().zip(&last.choices).map(of_layer)).collect()
}

/// The moments of a history file.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Moment>> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensor = |name: &str, dtype: Dtype| -> Result<TensorView<'_>> {
        let tensor = file.tensor(name)?;
        let found = tensor.dtype();
        (found == dtype).then_some(tensor).ok_or_else(|| HistoryError(format!("{name} is {found:?}, not {dtype:?}")))
    };
    let words = |name: &str, dtype: Dtype| -> Result<Vec<[u8; 4]>> {
        Ok(tensor(name, dtype)?.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect())
    };
    let f32s = |name: &str| {
        Ok::<_, HistoryError>(words(name, Dtype::F32)?.into_iter().map(f32::from_le_bytes).collect::<Vec<_>>())
    };
    let steps: Vec<i32> = words("steps", Dtype::I32)?.into_iter().map(i32::from_le_bytes).collect();
    let choices = tensor("choices", Dtype::U8)?;
    let &[num_moments, num_layers, num_tokens, k] = choices.shape() else {
        return Err(HistoryError("choices have four dimensions".to_owned()));
    };
    if num_moments != steps.len() || num_moments == 0 || k == 0 {
        return Err(HistoryError("there are no moments or choices".to_owned()));
    }
    let token = |experts: &[u8]| experts.iter().filter(|&&e| e != NOBODY).map(|&e| u32::from(e)).collect::<Vec<_>>();
    let tokens: Vec<Vec<u32>> = choices.data().chunks_exact(k).map(token).collect();
    let collapse: Vec<f64> = f32s("collapse")?.into_iter().map(f64::from).collect();
    if num_moments.checked_mul(num_layers) != Some(collapse.len()) {
        return Err(HistoryError("choices and collapse are of other moments or layers".to_owned()));
    }
    if steps.iter().any(|&step| step < 0) || !steps.is_sorted() {
        return Err(HistoryError("the steps are not in order".to_owned()));
    }
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
    use moe_fuzz::json::spoil;
    use moe_fuzz::{Dice, trial};

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

    #[test]
    fn saturation_by_hand() {
        let moment = |choices: Vec<Vec<Vec<u32>>>| Moment { step: 0, gates: vec![], choices, collapse: vec![] };
        // Layer 0: one expert of two, and both the other way round: three of four. Layer 1: none of the only two.
        let moments = [
            moment(vec![vec![vec![0, 1], vec![3, 2]], vec![vec![4, 5], vec![]]]),
            moment(vec![vec![vec![1, 7], vec![2, 3]], vec![vec![6, 7], vec![1, 2]]]),
        ];
        assert_eq!(saturation(&moments), [0.75, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn fuzz_histories() {
        let moment = |step| Moment {
            step,
            gates: vec![("blocks.0.gate".to_owned(), vec![1.0, 0.5])],
            choices: vec![vec![vec![3, 1], vec![0]]],
            collapse: vec![0.25],
        };
        let file = to_bytes(&[moment(0), moment(7)], &[5, 6]).expect("it can be written");
        let make = |dice: &mut Dice| {
            let (len, rest) = file.split_at(8);
            let len = u64::from_le_bytes(len.try_into().expect("eight bytes")) as usize;
            let mut header = serde_json::from_slice(&rest[..len]).expect("the header is JSON");
            spoil(&mut header, dice);
            let header = header.to_string().into_bytes();
            [&(header.len() as u64).to_le_bytes()[..], &header, &rest[len..]].concat()
        };
        trial("histories", 1000, make, |bytes| from_bytes(bytes).map(|moments| saturation(&moments)).is_ok());
    }
}
