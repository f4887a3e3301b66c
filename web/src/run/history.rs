//! The kept runs as a list: each with a name, which is what was changed since the run before it.

use std::rc::Rc;

use moe_trace::{Fate, RoutingGroup, RunId, Source, StepTrace};

use crate::run::difference::differences;
use crate::run::recording::Recording;
use crate::run::runs::Runs;
use crate::run::shared::Shared;
use crate::run::text::plain;
use crate::words::names;

/// A kept run in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub run: RunId,
    pub name: String,
    pub model: String,
    pub source: Source,
    pub num_tokens: usize,
    /// Mean over the text in nats, where it was recorded.
    pub nats: Option<f64>,
    /// Requests turned away at its last step, in all layers.
    pub lost: usize,
    pub is_on_screen: bool,
    pub is_against: bool,
    pub is_under_way: bool,
}

/// Oldest first.
pub fn history(runs: &Runs) -> Vec<Entry> {
    let number = |run: Option<&Shared<Recording>>| run.map(|run| run.run());
    let (on_screen, against) = (number(runs.on_screen()), number(runs.against()));
    let entries = runs.kept().iter().enumerate().map(|(at, run)| {
        let before = at.checked_sub(1).map(|before| &runs.kept()[before]);
        let last = run.steps.len().saturating_sub(1);
        Entry {
            run: run.run(),
            name: name(run, before.map(|before| &**before)),
            model: plain(&run.model.name),
            source: run.source,
            num_tokens: run.text_len(last),
            nats: nats(run),
            lost: lost(run),
            is_on_screen: Some(run.run()) == on_screen,
            is_against: Some(run.run()) == against,
            is_under_way: run.finished.is_none(),
        }
    });
    entries.collect()
}

fn name(run: &Recording, before: Option<&Recording>) -> String {
    let changed = before.map(|before| differences(before, run)).unwrap_or_default();
    match (before, changed.is_empty()) {
        (None, _) if run.is_live() => say!("first run kept").into_owned(),
        (None, _) => say!("the run that was recorded").into_owned(),
        (Some(_), true) => say!("the same settings").into_owned(),
        (Some(_), false) => names::listed(changed),
    }
}

fn steps_of_text(run: &Recording) -> &[Rc<StepTrace>] {
    match run.request.group {
        RoutingGroup::ThisText => run.steps.last().map_or(&[], std::slice::from_ref),
        RoutingGroup::DecodeStep | RoutingGroup::Batch => &run.steps,
    }
}

fn nats(run: &Recording) -> Option<f64> {
    let losses = steps_of_text(run).iter().flat_map(|step| &step.tokens).filter_map(|token| token.loss);
    let (sum, number) = losses.fold((0.0, 0), |(sum, number), loss| (sum + f64::from(loss), number + 1));
    (number > 0).then(|| sum / f64::from(number))
}

fn lost(run: &Recording) -> usize {
    let layers = steps_of_text(run).iter().flat_map(|step| &step.layers).filter_map(|layer| layer.routing());
    layers.flat_map(|routing| &routing.assignments).filter(|request| request.fate == Fate::Lost).count()
}
