//! One figure for the download of engine and model.

use moe_trace::Download;
use web::state::progress::{Arrived, Progress, Waiting};

/// Reports of a slow line: part, bytes, of how many, at which second.
fn heard(reports: &[(Download, u32, u32, f32)]) -> Progress {
    let mut progress = Progress::default();
    for &(part, loaded_bytes, total_bytes, seconds) in reports {
        progress.hear(part, Arrived { loaded_bytes, total_bytes, from_cache: false }, 1e3 * seconds);
    }
    progress
}

fn check(reports: &[(Download, u32, u32, f32)], model_bytes: Option<u32>, expected: (u32, u32, Option<u32>)) {
    let Waiting { loaded_bytes, total_bytes, seconds_left, .. } = heard(reports).waiting(model_bytes);
    assert_eq!((loaded_bytes, total_bytes, seconds_left), expected, "{reports:?}");
}

#[test]
fn engine_and_model_are_one_figure() {
    use Download::{Engine, Model};
    let half = (Engine, 5_000_000, 10_000_000, 0.0);
    check(&[half], Some(4_000_000), (5_000_000, 14_000_000, None));
    check(&[half], None, (5_000_000, 10_000_000, None));
    // What the model itself says counts more than what the list says of it.
    let whole = (Engine, 10_000_000, 10_000_000, 10.0);
    check(&[half, whole, (Model, 500_000, 3_000_000, 11.0)], Some(4_000_000), (10_500_000, 13_000_000, Some(5)));
}

#[test]
fn the_time_left_is_what_the_rest_takes_at_the_rate_so_far() {
    use Download::Engine;
    let first = (Engine, 1_000_000, 9_000_000, 3.0);
    check(&[first, (Engine, 2_000_000, 9_000_000, 4.0)], Some(1_000_000), (2_000_000, 10_000_000, None));
    check(&[first, (Engine, 2_000_000, 9_000_000, 5.0)], Some(1_000_000), (2_000_000, 10_000_000, Some(16)));
    check(&[first, (Engine, 1_000_000, 9_000_000, 60.0)], Some(1_000_000), (1_000_000, 10_000_000, None));
    check(&[first, (Engine, 9_000_000, 9_000_000, 11.0)], None, (9_000_000, 9_000_000, Some(0)));
}
