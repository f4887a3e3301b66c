//! Finding of the policy lab: which policy cost the text least and which most, where they differ at all.

use crate::run::policies::{LabPolicy, PolicyLab};

pub fn finding(lab: &PolicyLab) -> String {
    let with_loss = |(policy, outcome): (LabPolicy, &crate::run::policies::Outcome)| {
        Some((policy, outcome.measures.loss?.nats, outcome.measures.totals.lost))
    };
    let found: Vec<(LabPolicy, f64, usize)> = lab.outcomes().filter_map(with_loss).collect();
    let by_loss = |one: &&(LabPolicy, f64, usize), other: &&(LabPolicy, f64, usize)| one.1.total_cmp(&other.1);
    let (Some(least), Some(most)) = (found.iter().min_by(by_loss), found.iter().max_by(by_loss)) else {
        return say!(
            "{ways} ways to fill experts that are full, on the same {tokens}: not compared yet",
            ways = lab.rows.len(),
            tokens = many!(lab.text_len, "{n} token", "{n} tokens")
        );
    };
    let factor = format!("{:.2}", lab.factor);
    let policies = match found.len() == lab.rows.len() {
        true => say!("all {number} policies", number = found.len()),
        false => say!("{number} of {all} policies so far", number = found.len(), all = lab.rows.len()),
    };
    let [lowest, highest] = [least.1, most.1].map(|nats| format!("{nats:.3}"));
    if found.iter().all(|&(_, _, lost)| lost == 0) {
        return say!(
            "At capacity factor {factor} nobody is turned away: {nats} nats per token under {policies}",
            factor,
            nats = lowest,
            policies
        );
    }
    if most.1 - least.1 < 0.0005 {
        return say!(
            "At capacity factor {factor} the loss is {nats} nats per token under {policies}",
            factor,
            nats = lowest,
            policies
        );
    }
    say!(
        "At capacity factor {factor} the loss is lowest under “{best}” ({lowest} nats) and highest under “{worst}” \
         ({highest}), of {policies}",
        factor,
        best = least.0.name(),
        lowest,
        worst = most.0.name(),
        highest,
        policies
    )
}
