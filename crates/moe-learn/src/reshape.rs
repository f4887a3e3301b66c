//! Dense to sparse and back, on what is saved of a learner: one feed-forward copied into many experts (sparse upcycling,
//! Komatsuzaki et al. 2022, arXiv:2212.05055), and experts averaged into one by how much each is asked.
//!
//! The optimiser's moments go with the weights. The gate has another number of columns, so it begins anew, and so does its
//! bias.

use moe_model::checkpoint::exact::Numbers;
use moe_router::draws::SplitMix64;

use crate::saved::Saved;

/// The matrices of a block's routed experts.
const OF_EXPERTS: [&str; 3] = ["w_gate", "w_up", "w_down"];

/// What depends on the number of experts, and begins anew.
const OF_GATE: [&str; 2] = ["gate", "gate_bias"];

/// What a tensor is for, by its name.
enum Place {
    /// Of this block's experts; a moment or a weight.
    Experts {
        block: usize,
        is_weight: bool,
    },
    Gate,
    Elsewhere,
}

fn place(name: &str) -> Place {
    let (path, moment) = name.split_once('/').map_or((name, None), |(path, moment)| (path, Some(moment)));
    let parts: Vec<&str> = path.split('.').collect();
    match parts[..] {
        ["blocks", block, last] if OF_EXPERTS.contains(&last) => match block.parse() {
            Ok(block) => Place::Experts { block, is_weight: moment.is_none() },
            Err(_) => Place::Elsewhere,
        },
        ["blocks", _, last] if OF_GATE.contains(&last) => Place::Gate,
        ["blocks", _, "cosine", _] => Place::Gate,
        _ => Place::Elsewhere,
    }
}

/// The one feed-forward of each layer copied into as many experts as `fresh` has, a learner that has learned nothing.
///
/// `noise`: deviation of what is added to the copies' weights, as a part of the root mean square of each matrix.
pub fn upcycled(dense: &Saved, fresh: &Saved, noise: f32, seed: u64) -> Saved {
    let mut count = 0;
    reshaped(dense, fresh, |name, one| {
        let Place::Experts { is_weight, .. } = place(name) else { return one.clone() };
        let num_experts = fresh.tensors.get(name.split('/').next().unwrap_or(name)).map_or(1, |of| of.shape[0]);
        let mut values = one.values.repeat(num_experts);
        if is_weight && noise > 0.0 {
            count += 1;
            let mut random = SplitMix64::mixed(&[seed, count]);
            let size = f64::from(noise) * mean_square(&one.values).sqrt();
            values.iter_mut().for_each(|value| *value += (random.normal() * size) as f32);
        }
        Numbers { shape: with_experts(&one.shape, num_experts), values }
    })
}

/// The experts of each layer averaged into one. `loads`: `[layers][experts]`, how much each counts; with nothing, all count
/// alike. `fresh`: a learner with one expert that has learned nothing.
pub fn merged(sparse: &Saved, fresh: &Saved, loads: &[Vec<f64>]) -> Saved {
    reshaped(sparse, fresh, |name, all| {
        let Place::Experts { block, .. } = place(name) else { return all.clone() };
        let num_experts = all.shape[0].max(1);
        let len = all.values.len() / num_experts;
        let even = vec![1.0; num_experts];
        let loads = loads.get(block).filter(|loads| loads.len() == num_experts && loads.iter().sum::<f64>() > 0.0);
        let loads = loads.unwrap_or(&even);
        let total: f64 = loads.iter().sum();
        let mut values = vec![0.0f64; len];
        for (expert, load) in all.values.chunks(len.max(1)).zip(loads) {
            values.iter_mut().zip(expert).for_each(|(sum, value)| *sum += load / total * f64::from(*value));
        }
        let values = values.into_iter().map(|value| value as f32).collect();
        Numbers { shape: with_experts(&all.shape, 1), values }
    })
}

/// How far the experts of a layer are from each other: root mean square distance from their mean, as a part of their root
/// mean square. 0 where all are the same; `sqrt(1 - 1/n)` where `n` have nothing in common.
///
/// `matrices`: each `[experts, …]`, flat.
pub fn spread(matrices: &[Vec<f32>], num_experts: usize) -> f32 {
    let (mut apart, mut all) = (0.0, 0.0);
    for matrix in matrices {
        let len = matrix.len() / num_experts.max(1);
        for at in 0..len {
            let of_expert = |expert: usize| f64::from(matrix[expert * len + at]);
            let mean = (0..num_experts).map(of_expert).sum::<f64>() / num_experts as f64;
            apart += (0..num_experts).map(|expert| (of_expert(expert) - mean).powi(2)).sum::<f64>();
            all += (0..num_experts).map(|expert| of_expert(expert).powi(2)).sum::<f64>();
        }
    }
    if all > 0.0 { (apart / all).sqrt() as f32 } else { 0.0 }
}

fn reshaped(from: &Saved, fresh: &Saved, mut change: impl FnMut(&str, &Numbers) -> Numbers) -> Saved {
    let is_of_gate = |name: &str| matches!(place(name), Place::Gate);
    let kept = from.tensors.iter().filter(|(name, _)| !is_of_gate(name));
    let mut tensors: std::collections::BTreeMap<_, _> =
        kept.map(|(name, numbers)| (name.clone(), change(name, numbers))).collect();
    let begun = fresh.tensors.iter().filter(|(name, _)| is_of_gate(name));
    tensors.extend(begun.map(|(name, numbers)| (name.clone(), numbers.clone())));
    let moved = from.moved.iter().filter(|(name, _)| !is_of_gate(name));
    Saved { tensors, moved: moved.map(|(name, steps)| (name.clone(), *steps)).collect() }
}

/// `[experts, …]` with another number of them.
fn with_experts(shape: &[usize], num_experts: usize) -> Vec<usize> {
    [&[num_experts], &shape[1..]].concat()
}

fn mean_square(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(tensors: &[(&str, &[usize], &[f32])], moved: &[&str]) -> Saved {
        let numbers = |(name, shape, values): &(&str, &[usize], &[f32])| {
            ((*name).to_owned(), Numbers { shape: shape.to_vec(), values: values.to_vec() })
        };
        Saved {
            tensors: tensors.iter().map(numbers).collect(),
            moved: moved.iter().map(|name| ((*name).to_owned(), 3)).collect(),
        }
    }

    fn dense() -> Saved {
        let tensors: [(&str, &[usize], &[f32]); 5] = [
            ("embedding", &[2], &[1.0, 2.0]),
            ("blocks.0.gate", &[1, 1], &[9.0]),
            ("blocks.0.gate/moment_1", &[1, 1], &[8.0]),
            ("blocks.0.w_up", &[1, 1, 2], &[3.0, -4.0]),
            ("blocks.0.w_up/moment_1", &[1, 1, 2], &[5.0, 6.0]),
        ];
        saved(&tensors, &["embedding", "blocks.0.gate", "blocks.0.w_up"])
    }

    fn fresh(num_experts: usize) -> Saved {
        let gate = vec![0.5; num_experts];
        saved(&[("blocks.0.gate", &[1, num_experts], &gate), ("blocks.0.w_up", &[num_experts, 1, 2], &[])], &[])
    }

    #[test]
    fn every_expert_is_a_copy_and_the_gate_begins_anew() {
        let sparse = upcycled(&dense(), &fresh(2), 0.0, 1);
        let tensors: [(&str, &[usize], &[f32]); 4] = [
            ("embedding", &[2], &[1.0, 2.0]),
            ("blocks.0.gate", &[1, 2], &[0.5, 0.5]),
            ("blocks.0.w_up", &[2, 1, 2], &[3.0, -4.0, 3.0, -4.0]),
            ("blocks.0.w_up/moment_1", &[2, 1, 2], &[5.0, 6.0, 5.0, 6.0]),
        ];
        assert_eq!(sparse, saved(&tensors, &["embedding", "blocks.0.w_up"]));
        // And the mean of copies is what was copied, whoever is asked.
        let again = merged(&sparse, &fresh(1), &[vec![7.0, 1.0]]);
        assert_eq!(again.tensors["blocks.0.w_up"], dense().tensors["blocks.0.w_up"]);
        let noisy = upcycled(&dense(), &fresh(2), 0.1, 1);
        let (noisy, plain) = (&noisy.tensors["blocks.0.w_up"].values, &sparse.tensors["blocks.0.w_up"].values);
        assert!(noisy.iter().zip(plain).all(|(noisy, plain)| noisy != plain && (noisy - plain).abs() < 2.0));
        assert_ne!(noisy[..2], noisy[2..]);
    }

    #[test]
    fn experts_count_by_their_load() {
        let sparse = saved(&[("blocks.0.w_up", &[2, 1, 1], &[4.0, 8.0])], &[]);
        let check = |loads: &[Vec<f64>], expected: f32| {
            assert_eq!(merged(&sparse, &fresh(1), loads).tensors["blocks.0.w_up"].values, [expected]);
        };
        check(&[vec![3.0, 1.0]], 5.0);
        check(&[vec![0.0, 0.0]], 6.0);
        check(&[], 6.0);
    }

    #[test]
    fn what_has_nothing_in_common_is_as_far_apart_as_can_be() {
        assert_eq!(spread(&[vec![1.0, 2.0, 1.0, 2.0]], 2), 0.0);
        let orthogonal = spread(&[vec![1.0, 0.0, 0.0, 1.0]], 2);
        assert!((orthogonal - 0.5f32.sqrt()).abs() < 1e-6, "{orthogonal}");
        assert_eq!(spread(&[vec![3.0]], 1), 0.0);
    }
}
