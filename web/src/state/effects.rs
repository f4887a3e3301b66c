//! What the world must be told after a change of state: found by comparing before and after, so the reducer stays pure.

use moe_trace::{BackendInfo, Command, ModelInfo, RunId, Source, UserError};

use crate::state::{Phase, State};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End the worker, if there is one, and start another that loads the model.
    StartEngine,
    EndEngine,
    /// Fetch the recorded run that the attributes name now.
    FetchReplay,
    /// Dispatch `ReplayIsLate` after a few seconds.
    AwaitReplay,
    /// Let the element's attribute say which model was chosen.
    SetModel(String),
    Post(Command),
    /// Dispatch `Rerun` with this ticket once the controls have rested for a moment.
    ScheduleRerun {
        ticket: u32,
    },
    EmitReady {
        source: Source,
        model: Option<ModelInfo>,
        backend: Option<BackendInfo>,
    },
    EmitError(UserError),
}

/// What to do, in order.
pub fn effects(before: &State, after: &State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if before.internals.engine_generation != after.internals.engine_generation {
        let start = matches!(after.phase, Phase::Starting);
        effects.push(if start { Effect::StartEngine } else { Effect::EndEngine });
    }
    if before.internals.replay_generation != after.internals.replay_generation {
        effects.push(Effect::FetchReplay);
    }
    let awaits_replay = |state: &State| matches!(state.phase, Phase::Idle) && !state.internals.replay_settled;
    if awaits_replay(after) && !awaits_replay(before) {
        effects.push(Effect::AwaitReplay);
    }
    if before.internals.choices != after.internals.choices
        && let Some(model) = &after.config.model
    {
        effects.push(Effect::SetModel(model.clone()));
    }
    if let Some(run) = running(after)
        && running(before) != Some(run)
        && let Some(coming) = &after.coming
    {
        effects.push(Effect::Post(Command::Run(moe_trace::RunRequest::clone(&coming.request))));
    }
    if let Some(run) = after.internals.stopping
        && before.internals.stopping != Some(run)
    {
        effects.push(Effect::Post(Command::Stop(run)));
    }
    if before.internals.rerun_ticket != after.internals.rerun_ticket {
        effects.push(Effect::ScheduleRerun { ticket: after.internals.rerun_ticket });
    }
    if before.internals.announced != after.internals.announced
        && let Some(source) = after.internals.announced
    {
        let model = after.model.as_ref().or(after.shown.as_ref().map(|shown| &shown.model));
        effects.push(Effect::EmitReady {
            source,
            model: model.map(|model| ModelInfo::clone(model)),
            backend: after.backend.as_ref().map(|backend| BackendInfo::clone(backend)),
        });
    }
    // Several attributes may be wrong at once, while there is one notice: each is told.
    let (known, bad) = (&before.internals.attribute_errors, &after.internals.attribute_errors);
    effects.extend(bad.iter().filter(|error| !known.contains(error)).cloned().map(Effect::EmitError));
    if let Some(notice) = &after.notice
        && notice.is_error
        && !bad.contains(&notice.message)
        && before.notice.as_ref().is_none_or(|known| known.serial != notice.serial)
    {
        effects.push(Effect::EmitError(notice.message.clone()));
    }
    effects
}

fn running(state: &State) -> Option<RunId> {
    match state.phase {
        Phase::Running(run) => Some(run),
        _ => None,
    }
}
