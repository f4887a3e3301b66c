//! How fast an engine is, by its own clock: the last steps of a short run, whose first ones made everything ready.

use moe_trace::Event;

use crate::engine::Engine;
use crate::run::RunError;
use crate::self_check::request;

/// Steps whose time counts, one token each.
const NUM_TIMED: usize = 2;

/// Steps before them: the first has the whole text and makes what a device needs, in the others a browser makes its fast
/// code.
const NUM_BEFORE: usize = 4;

/// Clocks of browsers tell no less.
const LEAST_MS: f32 = 0.1;

impl Engine {
    /// Steps a second, of a model routed as it was trained. `None` where that cannot be run live, or where the model ends
    /// the text at once.
    pub async fn steps_per_second(&mut self, clock_ms: impl Fn() -> f64) -> Result<Option<f32>, RunError> {
        let request = request(self.info().trained_routing, (NUM_BEFORE + NUM_TIMED - 1) as u32);
        let mut times_ms = Vec::new();
        let emit = |event| {
            if let Event::Step { elapsed_ms, .. } = event {
                times_ms.push(elapsed_ms);
            }
        };
        match self.run(&request, clock_ms, emit, async || false).await {
            Err(error) if error.fatal => return Err(error),
            // A refusal has no steps.
            Ok(_) | Err(_) => {}
        }
        Ok(rate(&times_ms))
    }
}

/// Of the times of all steps, that of the last ones as steps a second. Where the text ended early, fewer came before.
fn rate(times_ms: &[f32]) -> Option<f32> {
    let timed = times_ms.get(1..)?.last_chunk::<NUM_TIMED>()?;
    Some(1000.0 * NUM_TIMED as f32 / timed.iter().sum::<f32>().max(LEAST_MS))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::engine::Arithmetic;
    use crate::self_check::tests::{load, ready};

    #[test]
    fn the_last_steps_count_and_never_the_first() {
        assert_eq!(rate(&[900.0, 70.0, 30.0, 10.0, 30.0, 20.0]), Some(40.0));
        assert_eq!(rate(&[900.0, 10.0, 10.0]), Some(100.0));
        assert_eq!(rate(&[900.0, 10.0]), None, "the text ended at once");
        assert_eq!(rate(&[]), None, "it was refused");
        assert_eq!(rate(&[900.0, 0.0, 0.0]), Some(20_000.0), "a clock that stands still");
    }

    /// The clock is asked at the beginning and at the end of each step.
    #[test]
    fn an_engine_is_timed_by_the_clock_that_it_is_given() {
        let check = |tick_ms: f64, expected: f32| {
            let now_ms = Cell::new(0.0);
            let clock = || {
                now_ms.set(now_ms.get() + tick_ms);
                now_ms.get()
            };
            let mut engine = load("default", &Arithmetic::Int8);
            assert_eq!(ready(engine.steps_per_second(clock)).expect("it runs"), Some(expected));
        };
        check(1.0, 1000.0);
        check(8.0, 125.0);
    }
}
