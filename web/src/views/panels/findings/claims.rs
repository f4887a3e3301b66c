//! Each finding in words: the claim, what this text says, and what was recorded.

use crate::run::experts::ENOUGH;
use crate::run::findings::collapse::COLLAPSED;
use crate::run::findings::{Along, Collapse, FACTOR, FAR, Findings, LONG, Verdict, recorded};
use crate::run::moments::Moments;
use crate::words::numbers::{count, percent};

pub struct Claim {
    pub claim: &'static str,
    pub verdict: Verdict,
    pub here: String,
    pub recorded: String,
}

impl Claim {
    pub fn verdict_words(&self) -> &'static str {
        match self.verdict {
            Verdict::Holds => "holds here",
            Verdict::DoesNotHold => "does not hold here",
            Verdict::NotDecided => "not decided here",
            Verdict::NotTried => "not tried",
        }
    }
}

/// `moments`: what the time machine has of the text on the screen.
pub fn claims(findings: &Findings, moments: Option<&Moments>) -> Vec<Claim> {
    let points = |(rise, margin): (f64, f64)| format!("{rise:+.1} ± {margin:.1} points").replace('-', "−");
    let windows = format!("{} held-out tokens in windows of {}", recorded::NUM_TOKENS, recorded::WINDOW);
    let demand = findings.measured.demand.map(|demand| {
        format!(
            "Requests vary by {:.2} of their mean over the experts, averaged over the layers; by chance it would be {:.2}.",
            demand.variation, demand.by_chance
        )
    });
    let (early, later, chance) = recorded::EARLY;
    vec![
        Claim {
            claim: "Tokens late in a text lose their experts more often",
            verdict: findings.rises(),
            here: along_words(findings, 0),
            recorded: format!(
                "{} from the first to the last quarter at capacity factor {FACTOR}, over {windows}.",
                points(recorded::RISE_IN_ORDER)
            ),
        },
        Claim {
            claim: "It is the order of service that does it: by lot, losses do not depend on position",
            verdict: findings.order_does_it(),
            here: along_words(findings, 1),
            recorded: format!("{} by lot, on the same windows.", points(recorded::RISE_BY_LOT)),
        },
        Claim {
            claim: "The token's id tells more about its expert than anything else",
            verdict: findings.id_tells_most(),
            here: told_words(findings),
            recorded: format!(
                "The id tells {} % of the experts' entropy beyond chance, the id before {} %, the kind of text {} %, the \
                 position {:.1} %.",
                recorded::TOLD_ID,
                recorded::TOLD_BEFORE,
                recorded::TOLD_KIND,
                recorded::TOLD_POSITION
            ),
        },
        Claim {
            claim: "Demand is far more even than where nothing balances the gate",
            verdict: findings.is_even(),
            here: demand.unwrap_or_else(too_little),
            recorded: format!(
                "Requests vary by {:.2} of their mean in the default model, by {:.2} in the one without a balance loss; it \
                 holds where that is {FAR} times as much.",
                recorded::VARIATION,
                recorded::VARIATION_UNBALANCED
            ),
        },
        Claim {
            claim: "Routing has collapsed: a few experts take the requests",
            verdict: findings.has_collapsed(),
            here: findings.measured.collapse.as_ref().map_or_else(too_little, collapse_words),
            recorded: format!(
                "A layer of the default model works with {:.2} of its 8 experts, one of the model without a balance loss with {:.2}; \
                 it holds below {COLLAPSED} of the experts.",
                recorded::EFFECTIVE,
                recorded::EFFECTIVE_UNBALANCED
            ),
        },
        Claim {
            claim: "Routing is decided early in training",
            verdict: moments.map_or(Verdict::NotTried, decided),
            here: moments.map_or_else(
                || "A run shows the trained model alone: this takes the gates of earlier moments, which the time machine asks."
                    .to_owned(),
                moments_words,
            ),
            recorded: format!(
                "A token has {early} % of its last experts after 1 % of training ({chance:.1} % by chance) and {later} % after 40 %, \
                 in the model of that moment; it holds from {} after 40 % on.",
                percent(Moments::DECIDED as f32)
            ),
        },
    ]
}

/// By its gates alone: what the model of that moment made of this text is not known.
fn decided(moments: &Moments) -> Verdict {
    match moments.mean(moments.nearest(Moments::LATER)) >= Moments::DECIDED {
        true => Verdict::Holds,
        false => Verdict::DoesNotHold,
    }
}

fn moments_words(moments: &Moments) -> String {
    let [early, later] = [Moments::EARLY, Moments::LATER].map(|share| moments.nearest(share));
    let [of_early, of_later] = [early, later].map(|moment| percent(moments.mean(moment) as f32));
    format!(
        "The gates as they were after step {} send {of_early} of the requests of {} where today's send them, those after step {} of \
         {} {of_later}: the states are today's.",
        moments.history.steps[early],
        count(moments.num_tokens, "token", "tokens"),
        moments.history.steps[later],
        moments.history.steps[moments.num_moments() - 1],
    )
}

fn collapse_words(collapse: &Collapse) -> String {
    let layers: Vec<String> = collapse.effective.iter().map(|number| format!("{number:.2}")).collect();
    format!(
        "A layer works with {:.2} of its {} experts (exp of the entropy of their parts of the requests; by layer {}); the busiest \
         quarter gets {}, and {} if all were asked alike.",
        collapse.mean(),
        collapse.num_experts,
        layers.join(", "),
        percent(collapse.busiest_quarter as f32),
        percent(collapse.quarter as f32)
    )
}

fn too_little() -> String {
    format!("Too little text: it takes {ENOUGH} tokens.")
}

/// In order of the text (0) or by lot (1).
fn along_words(findings: &Findings, order: usize) -> String {
    match &findings.along {
        Err(why) => format!("{why} It takes a text of {LONG} tokens, and a rule that turns tokens away."),
        Ok(None) => "Not run yet.".to_owned(),
        Ok(Some(both)) => {
            let along: &Along = &both[order];
            let [first, last] = along.shares().map(|share| percent(share as f32));
            let [made, later] = along.made;
            let rise = format!("{:+.1} ± {:.1} points", 100.0 * along.rise(), 100.0 * along.margin()).replace('-', "−");
            format!(
                "{first} of {made} requests of the first quarter and {last} of {later} of the last are lost at capacity factor \
                 {FACTOR}, {rise}."
            )
        }
    }
}

fn told_words(findings: &Findings) -> String {
    let Some(told) = &findings.measured.told else { return too_little() };
    let share = |share: f64| percent(share as f32);
    let kind = told.kind.map(|kind| format!(", the kind of text {}", share(kind))).unwrap_or_default();
    format!(
        "Over {} tokens the id tells {} of the experts' entropy beyond chance, the id before {}{kind}, the position {}.",
        told.num_tokens,
        share(told.id),
        share(told.before),
        share(told.position)
    )
}
