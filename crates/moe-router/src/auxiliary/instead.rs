//! What takes the place of a loss, or steers one.

use super::parts::asked;
use super::{AuxiliaryLoss, Family, Measured, Terms};
use crate::losses;
use crate::metrics;

pub static LOSSES: &[AuxiliaryLoss] = &[
    AuxiliaryLoss {
        name: "loss_free",
        title: "Loss-free balancing: MaxVio, and the step of each bias",
        family: Family::Instead,
        formula: "{max_e n_e}/{mean n} − 1",
        letters: "each bias moves by 0.001 towards even counts",
        paper: "Wang et al. 2024, arXiv:2408.15664",
        equation: Some("algorithm 1"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let demand = metrics::demand(asked(seen)?);
            let steps = losses::bias_update(&vec![0.0; demand.len()], &demand, 0.001);
            let values = steps.into_iter().map(f64::from).collect();
            let terms = Some(Terms { what: "step of the bias", values, add_up: false });
            Ok(Measured { value: metrics::max_violation(&demand), terms })
        },
    },
    AuxiliaryLoss {
        name: "adaptive",
        title: "Adaptive coefficient (Skywork-MoE)",
        family: Family::Instead,
        formula: "min({d}/{5}, 0.01)",
        letters: "d share of requests turned away; the balance loss is multiplied by what this moves to",
        paper: "Wei et al. 2024 (Skywork-MoE), arXiv:2406.06563",
        equation: Some("eq. 5-6"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let dropped = metrics::fraction_dropped(asked(seen)?);
            Ok(Measured { value: losses::target_coefficient(dropped), terms: None })
        },
    },
];
