//! The lab's part for adapters beside a frozen model: what is said to them, and their turns.

use moe_model::TensorError;
use moe_trace::adapting::Adaptation;
use moe_trace::training::{TrainCommand, TrainEvent};
use moe_trace::{RunId, UserError};

use super::{Lab, Tell, broken};
use crate::adapting::Adapting;
use crate::training::State;

impl Lab {
    pub(super) fn adapters_are_busy(&self) -> bool {
        self.adapting.as_ref().is_some_and(|adapting| adapting.state != State::Resting)
    }

    /// Begins with them. Those that were there end, unless these cannot be.
    pub(super) async fn adapt(&mut self, adaptation: Adaptation, tell: Tell<'_>) -> Result<(), UserError> {
        let mut adapting = Adapting::start(adaptation, &self.device).await?;
        let look = adapting.look().await.map_err(|error| broken(&error))?;
        let begun = adapting.begun();
        if let Some(before) = self.adapting.replace(adapting) {
            tell(TrainEvent::Stopped { run: before.run() });
        }
        tell(TrainEvent::Adapting(begun));
        tell(TrainEvent::Adapted(look));
        Ok(())
    }

    /// What is said to a training, where it is said to adapters.
    pub(super) async fn steer_adapters(&mut self, command: TrainCommand, tell: Tell<'_>) -> Result<(), UserError> {
        let Some(adapting) = &mut self.adapting else { return Ok(()) };
        match command {
            TrainCommand::Adapt(adaptation) => return self.adapt(*adaptation, tell).await,
            TrainCommand::Pause(_) => adapting.state = State::Resting,
            TrainCommand::Resume(_) => adapting.state = State::Running,
            TrainCommand::Step { num_steps, .. } => {
                adapting.state = if num_steps == 0 { State::Resting } else { State::Stepping(num_steps) };
            }
            TrainCommand::Change { run, setting } => {
                adapting.change(&setting)?;
                tell(TrainEvent::Changed { run, setting });
            }
            TrainCommand::Stop(run) => {
                self.adapting = None;
                tell(TrainEvent::Stopped { run });
                return Ok(());
            }
            _ => {
                let why = "Adapters have no snapshots and no experts of their own to change.";
                return Err(UserError::new("This was not done.", why, "Save them to come back to them."));
            }
        }
        self.tell_of_adapters(tell).await.map_err(|error| broken(&error))
    }

    /// A look where one is due, and that they rest.
    async fn tell_of_adapters(&mut self, tell: Tell<'_>) -> Result<(), TensorError> {
        let Some(adapting) = &mut self.adapting else { return Ok(()) };
        if adapting.look_is_due() {
            tell(TrainEvent::Adapted(adapting.look().await?));
        }
        if adapting.state == State::Resting {
            tell(TrainEvent::Resting { run: adapting.run(), next_step: adapting.next_step });
        }
        Ok(())
    }

    /// One step of theirs, with the look that may be due.
    pub(super) async fn advance_adapters(&mut self, now_ms: &dyn Fn() -> f64, tell: Tell<'_>) {
        let Some(adapting) = &mut self.adapting else { return };
        let run = adapting.run();
        let seen = match adapting.step(now_ms).await {
            Ok(seen) if seen.next_token.is_finite() => seen,
            Ok(seen) => {
                self.adapting = None;
                let why = format!("The loss of step {} is {}: the steps are too large.", seen.step, seen.next_token);
                let error = UserError::new("The training diverged.", why, "Open what was saved, and learn slower.");
                return tell(TrainEvent::Failed { run, error, fatal: true });
            }
            Err(error) => return self.lose_adapters(run, &error, tell),
        };
        if let State::Stepping(left) = adapting.state {
            adapting.state = if left > 1 { State::Stepping(left - 1) } else { State::Resting };
        }
        tell(TrainEvent::AdaptStep(seen));
        if let Err(error) = self.tell_of_adapters(tell).await {
            self.lose_adapters(run, &error, tell);
        }
    }

    fn lose_adapters(&mut self, run: RunId, error: &TensorError, tell: Tell<'_>) {
        self.adapting = None;
        tell(TrainEvent::Failed { run, error: broken(error), fatal: true });
    }
}
