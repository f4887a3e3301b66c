//! Where requests are turned away, accumulated over runs, against a plain count.

use moe_trace::{BackendChoice, Event, Fate, FinishReason, RunRequest, StepTrace};
use web::settings::Setting;
use web::state::Action;

use super::play::{Play, recorded};
use crate::fixture;

/// Runs a prompt to its end; the request, and its last step.
fn run(play: &mut Play, prompt: &str) -> (RunRequest, StepTrace) {
    play.act(Action::Run { prompt: Some(prompt.to_owned()) });
    let request = play.posted().expect("a run");
    let tokens = fixture::words(&request.prompt);
    let step = fixture::trace(2, &tokens, tokens.len(), request.clone()).steps.remove(0);
    play.hear(Event::Step { trace: step.clone().into(), elapsed_ms: 1.0 });
    play.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    (request, step)
}

#[test]
fn losses_are_counted_by_position_over_runs_of_one_routing() {
    let mut play = Play::in_lab(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    play.set(Setting::CapacityFactor(0.5));
    let long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";
    let (_, first) = run(&mut play, long);
    let (_, second) = run(&mut play, "eight words of another text are read here");
    // The same again is no news.
    run(&mut play, long);
    let by = play.state.by_position().cloned().expect("requests");
    assert_eq!((by.num_runs, by.longest, by.stretch), (2, 16, 2));

    let (mut made, mut lost) = ([0_u32; 8], [0_u32; 8]);
    for routing in [&first, &second].iter().flat_map(|step| &step.layers).filter_map(|layer| layer.routing()) {
        for request in &routing.assignments {
            made[request.token as usize / 2] += 1;
            lost[request.token as usize / 2] += u32::from(request.fate == Fate::Lost);
        }
    }
    assert_eq!((by.requests, by.lost), (made.iter().sum::<u32>() as usize, lost.iter().sum::<u32>() as usize));
    assert!(by.lost > 0);
    for (at, share) in by.shares.iter().enumerate() {
        assert_eq!(*share, Some(f64::from(lost[at]) / f64::from(made[at])), "stretch {at}");
    }
    // Quarters of the longest text.
    let quarter = |at: usize| f64::from(lost[at] + lost[at + 1]) / f64::from(made[at] + made[at + 1]);
    assert_eq!(by.quarters, (quarter(0), quarter(6)));

    // Another capacity is counted apart.
    play.set(Setting::CapacityFactor(0.25));
    run(&mut play, long);
    assert_eq!(play.state.by_position().map(|by| by.num_runs), Some(1));
}
