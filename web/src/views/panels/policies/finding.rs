//! Finding of the policy lab: which policy cost the text least and which most, where they differ at all.

use crate::run::policies::{LabPolicy, PolicyLab};
use crate::words::numbers::count;

pub fn finding(lab: &PolicyLab) -> String {
    let with_loss = |(policy, outcome): (LabPolicy, &crate::run::policies::Outcome)| {
        Some((policy, outcome.measures.loss?.nats, outcome.measures.totals.lost))
    };
    let found: Vec<(LabPolicy, f64, usize)> = lab.outcomes().filter_map(with_loss).collect();
    let by_loss = |one: &&(LabPolicy, f64, usize), other: &&(LabPolicy, f64, usize)| one.1.total_cmp(&other.1);
    let (Some(least), Some(most)) = (found.iter().min_by(by_loss), found.iter().max_by(by_loss)) else {
        let tokens = count(lab.text_len, "token", "tokens");
        return format!(
            "{} ways to fill experts that are full, on the same {tokens}: not compared yet",
            lab.rows.len()
        );
    };
    let factor = lab.factor;
    let of = match found.len() == lab.rows.len() {
        true => format!("all {} policies", found.len()),
        false => format!("{} of {} policies so far", found.len(), lab.rows.len()),
    };
    if found.iter().all(|&(_, _, lost)| lost == 0) {
        return format!(
            "At capacity factor {factor:.2} nobody is turned away: {:.3} nats per token under {of}",
            least.1
        );
    }
    if most.1 - least.1 < 0.0005 {
        return format!("At capacity factor {factor:.2} the loss is {:.3} nats per token under {of}", least.1);
    }
    format!(
        "At capacity factor {factor:.2} the loss is lowest under “{}” ({:.3} nats) and highest under “{}” ({:.3}), of {of}",
        least.0.name(),
        least.1,
        most.0.name(),
        most.1
    )
}
