//! The running example of the tests: six tokens, four experts.

use moe_trace::GateLogits;

/// Token 4 is the most confident, four of six tokens want expert 0 first, nobody wants expert 1 first.
pub(crate) fn running_example() -> GateLogits {
    let rows = [
        [1.85, 0.65, -1.05, -0.60],
        [1.50, 1.16, -0.60, -0.72],
        [1.44, -0.10, 0.02, 0.80],
        [-1.07, 0.89, 1.11, -0.12],
        [1.81, 0.28, -1.39, -0.67],
        [0.23, -1.06, 0.35, 1.25],
    ];
    GateLogits::new(4, rows.into_iter().flatten().collect()).expect("six rows of four")
}
