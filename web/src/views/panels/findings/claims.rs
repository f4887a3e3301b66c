//! Each finding in words: the claim, what this text says, and what was recorded.

use std::borrow::Cow;

use crate::run::experts::ENOUGH;
use crate::run::findings::collapse::COLLAPSED;
use crate::run::findings::{Along, Collapse, FACTOR, FAR, Findings, LONG, Verdict, recorded};
use crate::run::moments::Moments;
use crate::words::numbers::percent;
use crate::words::{names, tongue};

pub struct Claim {
    pub claim: Cow<'static, str>,
    pub verdict: Verdict,
    pub here: String,
    pub recorded: String,
}

impl Claim {
    pub fn verdict_words(&self) -> Cow<'static, str> {
        match self.verdict {
            Verdict::Holds => say!("holds here"),
            Verdict::DoesNotHold => say!("does not hold here"),
            Verdict::NotDecided => say!("not decided here"),
            Verdict::NotTried => say!("not tried"),
        }
    }
}

/// `moments`: what the time machine has of the text on the screen.
pub fn claims(findings: &Findings, moments: Option<&Moments>) -> Vec<Claim> {
    let demand = findings.measured.demand.map(|demand| {
        say!(
            "Requests vary by {variation} of their mean over the experts, averaged over the layers; by chance it would be {chance}.",
            variation = format_args!("{:.2}", demand.variation),
            chance = format_args!("{:.2}", demand.by_chance),
        )
    });
    let (early, later, chance) = recorded::EARLY;
    vec![
        Claim {
            claim: say!("Tokens late in a text lose their experts more often"),
            verdict: findings.rises(),
            here: along_words(findings, 0),
            recorded: say!(
                "{points} from the first to the last quarter at capacity factor {factor}, over {tokens} held-out tokens in windows of {window}.",
                points = points(recorded::RISE_IN_ORDER),
                factor = FACTOR,
                tokens = recorded::NUM_TOKENS,
                window = recorded::WINDOW,
            ),
        },
        Claim {
            claim: say!("It is the order of service that does it: by lot, losses do not depend on position"),
            verdict: findings.order_does_it(),
            here: along_words(findings, 1),
            recorded: say!("{points} by lot, on the same windows.", points = points(recorded::RISE_BY_LOT)),
        },
        Claim {
            claim: say!("The token's id tells more about its expert than anything else"),
            verdict: findings.id_tells_most(),
            here: told_words(findings),
            recorded: say!(
                "The id tells {id} % of the experts' entropy beyond chance, the id before {before} %, the kind of text {kind} %, the \
                 position {position} %.",
                id = recorded::TOLD_ID,
                before = recorded::TOLD_BEFORE,
                kind = recorded::TOLD_KIND,
                position = format_args!("{:.1}", recorded::TOLD_POSITION),
            ),
        },
        Claim {
            claim: say!("Demand is far more even than where nothing balances the gate"),
            verdict: findings.is_even(),
            here: demand.unwrap_or_else(too_little),
            recorded: say!(
                "Requests vary by {variation} of their mean in the default model, by {unbalanced} in the one without a balance loss; it \
                 holds where that is {times} times as much.",
                variation = format_args!("{:.2}", recorded::VARIATION),
                unbalanced = format_args!("{:.2}", recorded::VARIATION_UNBALANCED),
                times = FAR,
            ),
        },
        Claim {
            claim: say!("Routing has collapsed: a few experts take the requests"),
            verdict: findings.has_collapsed(),
            here: findings.measured.collapse.as_ref().map_or_else(too_little, collapse_words),
            recorded: say!(
                "A layer of the default model works with {balanced} of its 8 experts, one of the model without a balance loss with {unbalanced}; \
                 it holds below {share} of the experts.",
                balanced = format_args!("{:.2}", recorded::EFFECTIVE),
                unbalanced = format_args!("{:.2}", recorded::EFFECTIVE_UNBALANCED),
                share = COLLAPSED,
            ),
        },
        Claim {
            claim: say!("Routing is decided early in training"),
            verdict: moments.map_or(Verdict::NotTried, decided),
            here: moments.map_or_else(
                || {
                    say!("A run shows the trained model alone: this takes the gates of earlier moments, which the time machine asks.")
                        .into_owned()
                },
                moments_words,
            ),
            recorded: say!(
                "A token has {early} % of its last experts after 1 % of training ({chance} % by chance) and {later} % after 40 %, \
                 in the model of that moment; it holds from {decided} after 40 % on.",
                early,
                chance = format_args!("{chance:.1}"),
                later,
                decided = percent(Moments::DECIDED as f32),
            ),
        },
    ]
}

/// How much more is lost, with its margin.
fn points((rise, margin): (f64, f64)) -> String {
    let points = format!("{rise:+.1} ± {margin:.1}").replace('-', "−");
    say!("{points} points", points)
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
    many!(
        moments.num_tokens,
        "The gates as they were after step {early} send {of_early} of the requests of {n} token where today's send them, those after step \
         {later} of {steps} {of_later}: the states are today's.",
        "The gates as they were after step {early} send {of_early} of the requests of {n} tokens where today's send them, those after step \
         {later} of {steps} {of_later}: the states are today's.",
        early = moments.history.steps[early],
        of_early,
        later = moments.history.steps[later],
        steps = moments.history.steps[moments.num_moments() - 1],
        of_later,
    )
}

fn collapse_words(collapse: &Collapse) -> String {
    let layers = collapse.effective.iter().map(|number| format!("{number:.2}"));
    say!(
        "A layer works with {working} of its {experts} experts (exp of the entropy of their parts of the requests; by layer {layers}); the \
         busiest quarter gets {busiest}, and {even} if all were asked alike.",
        working = format_args!("{:.2}", collapse.mean()),
        experts = collapse.num_experts,
        layers = names::listed(layers),
        busiest = percent(collapse.busiest_quarter as f32),
        even = percent(collapse.quarter as f32),
    )
}

fn too_little() -> String {
    say!("Too little text: it takes {number} tokens.", number = ENOUGH)
}

/// In order of the text (0) or by lot (1).
fn along_words(findings: &Findings, order: usize) -> String {
    match &findings.along {
        Err(why) => {
            say!(
                "{why} It takes a text of {number} tokens, and a rule that turns tokens away.",
                why = tongue::translated(why),
                number = LONG
            )
        }
        Ok(None) => say!("Not run yet.").into_owned(),
        Ok(Some(both)) => {
            let along: &Along = &both[order];
            let [first, last] = along.shares().map(|share| percent(share as f32));
            let [made, later] = along.made;
            say!(
                "{first} of {made} requests of the first quarter and {last} of {later} of the last are lost at capacity factor \
                 {factor}, {rise}.",
                first,
                made,
                last,
                later,
                factor = FACTOR,
                rise = points((100.0 * along.rise(), 100.0 * along.margin())),
            )
        }
    }
}

fn told_words(findings: &Findings) -> String {
    let Some(told) = &findings.measured.told else { return too_little() };
    let share = |share: f64| percent(share as f32);
    let (tokens, id, before, position) = (told.num_tokens, share(told.id), share(told.before), share(told.position));
    match told.kind.map(share) {
        Some(kind) => say!(
            "Over {tokens} tokens the id tells {id} of the experts' entropy beyond chance, the id before {before}, the kind of text {kind}, the \
             position {position}.",
            tokens,
            id,
            before,
            kind,
            position,
        ),
        None => say!(
            "Over {tokens} tokens the id tells {id} of the experts' entropy beyond chance, the id before {before}, the position {position}.",
            tokens,
            id,
            before,
            position,
        ),
    }
}
