//! DeepSeek's balance: losses over experts, devices and messages (V1 arXiv:2401.06066, eq. 12-18; V2 arXiv:2405.04434,
//! eq. 23-31), the sequence-wise loss of V3 (arXiv:2412.19437, eq. 17-20), and the bias that needs no loss at all
//! (Wang et al. 2024, arXiv:2408.15664, algorithm 1).
//!
//! `f_e = E / (k T) · n_e`, `P_e = mean_t s[t,e]`; shared experts are not counted; `T` are the tokens of one sequence.
//! Every loss is 1 when balanced (messages: if every token uses exactly its limit of devices).
//!
//! Top-2 of the [running example](crate::example), experts 0 and 1 on one device, 2 and 3 on another, a limit of two
//! devices. Twelve choices fall as 4, 4, 2, 2, so `f` is 4/3 and 2/3: too many on the first device. The bias that needs
//! no loss makes experts 0 and 1 a thousandth less attractive, and the others more.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{dispatch::dropless, gate_probs, losses, metrics, token_choice::top_k};
//!
//! let gate_logits = example::gate_logits();
//! let routing = dropless(&top_k::requests(&gate_logits, 2, moe_trace::Weighting::Norm), 6, 4);
//! let probs: Vec<f64> = gate_probs(&gate_logits).into_iter().map(f64::from).collect();
//! let balance = losses::device_balance(&probs, &routing, &[0, 0, 1, 1], 2);
//! assert_close(&balance.expert_frequency, &[1.3333, 1.3333, 0.6667, 0.6667]);
//! assert_close(&[balance.experts, balance.devices, balance.messages], &[1.1071, 1.1071, 0.7202]);
//! let bias = losses::bias_update(&[-0.2, 0.05, 0.1, 0.05], &metrics::demand(&routing), 0.001);
//! assert_close(&bias, &[-0.201, 0.049, 0.101, 0.051]);
//! ```

use moe_trace::{Fate, Routing};

use crate::losses::balance::is_choice;

/// The three losses of V2, unscaled.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceBalance {
    /// `Σ_e f_e P_e`.
    pub experts: f64,
    /// `Σ_i f'_i P'_i`: `f'` the mean `f` of a device's experts, `P'` the sum of their `P`.
    pub devices: f64,
    /// `Σ_i f''_i P'_i`: `f''` the share of tokens sent to device `i`, relative to the limit.
    pub messages: f64,
    /// `f_e`, `[experts]`.
    pub expert_frequency: Vec<f64>,
    /// `P_e`, `[experts]`.
    pub mean_scores: Vec<f64>,
    /// `f'_i`, `[devices]`.
    pub device_frequency: Vec<f64>,
    /// `f''_i`, `[devices]`.
    pub message_frequency: Vec<f64>,
}

/// V2's losses of one sequence, of choices before any drop. Padding counts nothing; without a token or a choice all losses
/// and frequencies are 0.
///
/// `scores`: `[tokens, experts]`, softmax affinities, or for V3 [`sequence_scores`]. `routing`: `k` choices per token.
/// `device_of`: `[experts]`, devices counted from 0. `device_limit`: devices a token may visit.
pub fn device_balance(scores: &[f64], routing: &Routing, device_of: &[usize], device_limit: usize) -> DeviceBalance {
    let num_experts = routing.num_experts as usize;
    let is_padding = |token: usize| routing.of_token(token as u32).iter().any(|a| a.fate == Fate::Padding);
    let real: Vec<&[f64]> =
        scores.chunks(num_experts).enumerate().filter(|(token, _)| !is_padding(*token)).map(|(_, row)| row).collect();
    let num_tokens = real.len();
    let num_devices = device_of.iter().max().map_or(0, |last| last + 1);
    let mut mean_scores = vec![0.0; num_experts];
    for row in real {
        for (mean, score) in mean_scores.iter_mut().zip(row) {
            *mean += score / num_tokens as f64;
        }
    }
    let mut counts = vec![0.0; num_experts];
    let mut visits = vec![0.0; num_devices];
    for of_token in routing.assignments.chunk_by(|a, b| a.token == b.token) {
        let mut visited = vec![false; num_devices];
        for assignment in of_token.iter().filter(|a| is_choice(a.fate)) {
            counts[assignment.expert.index()] += 1.0;
            visited[device_of[assignment.expert.index()]] = true;
        }
        for (visits, visited) in visits.iter_mut().zip(visited) {
            *visits += f64::from(u8::from(visited));
        }
    }
    // E / (k T) · n_e is n_e over the mean n.
    let mean_count = counts.iter().sum::<f64>() / num_experts as f64;
    let expert_frequency: Vec<f64> = counts.iter().map(|&count| ratio(count, mean_count)).collect();

    let of_device = |values: &[f64], device: usize| -> Vec<f64> {
        values.iter().zip(device_of).filter(|(_, of)| **of == device).map(|(value, _)| *value).collect()
    };
    let sum = |values: Vec<f64>| values.iter().sum::<f64>();
    let devices = 0..num_devices;
    let device_frequency: Vec<f64> = devices
        .clone()
        .map(|device| {
            let of_experts = of_device(&expert_frequency, device);
            of_experts.iter().sum::<f64>() / of_experts.len().max(1) as f64
        })
        .collect();
    let device_scores: Vec<f64> = devices.map(|device| sum(of_device(&mean_scores, device))).collect();
    let fair_share = (device_limit * num_tokens) as f64 / num_devices as f64;
    let message_frequency: Vec<f64> = visits.iter().map(|&visits| ratio(visits, fair_share)).collect();
    DeviceBalance {
        experts: dot(&expert_frequency, &mean_scores),
        devices: dot(&device_frequency, &device_scores),
        messages: dot(&message_frequency, &device_scores),
        expert_frequency,
        mean_scores,
        device_frequency,
        message_frequency,
    }
}

/// Of counts that are 0 where their mean is.
fn ratio(count: f64, mean: f64) -> f64 {
    if mean > 0.0 { count / mean } else { 0.0 }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// V3's scores for its sequence-wise loss, `[tokens, experts]`: sigmoid scores divided by their sum over all experts. Where
/// every sigmoid has underflowed to 0 they are alike.
///
/// The loss is [`device_balance`]'s `experts`, with the routing of the plain sigmoid top-k: without bias or groups.
pub fn sequence_scores(sigmoids: &[f64], num_experts: usize) -> Vec<f64> {
    let normalised = sigmoids.chunks(num_experts).flat_map(|row| {
        let sum: f64 = row.iter().sum();
        row.iter().map(move |score| if sum > 0.0 { score / sum } else { 1.0 / num_experts as f64 })
    });
    normalised.collect()
}

/// Loss-free balancing: the selection bias after a step, `b_e + u · sign(mean n - n_e)`, `[experts]`.
///
/// `demand`: `[experts]`, requests of the whole batch. `step`: `u`, 0.001 for sigmoid scores. The bias starts at 0, is
/// saved with the model but is no parameter, and is frozen at inference.
pub fn bias_update(bias: &[f32], demand: &[u32], step: f32) -> Vec<f32> {
    let mean = demand.iter().copied().map(f64::from).sum::<f64>() / demand.len() as f64;
    let nudge = |&count: &u32| match f64::from(count).total_cmp(&mean) {
        std::cmp::Ordering::Less => f64::from(step),
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => -f64::from(step),
    };
    bias.iter().zip(demand).map(|(&bias, count)| (f64::from(bias) + nudge(count)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Router, RouterInput, example, gate_probs};
    use moe_trace::{GateLogits, Overflow, RoutingSpec};

    #[test]
    fn padding_counts_nothing() {
        let gate_logits = example::gate_logits();
        let spec = RoutingSpec { overflow: Overflow::Dropless, ..RoutingSpec::default() };
        let router = Router::new(spec, 4).expect("top-2 of 4");
        let probs: Vec<f64> = gate_probs(&gate_logits).into_iter().map(f64::from).collect();
        // The last two tokens are padding, or are not there.
        let padded =
            router.route(&RouterInput::new(&gate_logits).with_padding(&[false, false, false, false, true, true]));
        let first_four = GateLogits::new(4, gate_logits.values()[..16].to_vec()).expect("four rows");
        let short = router.route(&RouterInput::new(&first_four));
        let devices = [0, 0, 1, 1];
        assert_eq!(device_balance(&probs, &padded, &devices, 2), device_balance(&probs[..16], &short, &devices, 2));
    }

    #[test]
    fn nothing_is_balanced() {
        let routing = Routing { num_tokens: 0, num_experts: 4, capacity: None, assignments: Vec::new() };
        let balance = device_balance(&[], &routing, &[0, 0, 1, 1], 2);
        assert_eq!([balance.experts, balance.devices, balance.messages], [0.0; 3]);
        assert_eq!((balance.expert_frequency, balance.message_frequency), (vec![0.0; 4], vec![0.0; 2]));
        assert_eq!(sequence_scores(&[0.0, 0.0, 0.75, 0.25], 2), [0.5, 0.5, 0.75, 0.25]);
    }
}
