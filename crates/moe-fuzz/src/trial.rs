//! A reader on trial: many inputs, and what it took to answer them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::memory;

/// The longest that an answer may take. A machine under load is slow, and a hang is for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that may be held for each byte of input, and those that may be held anyway.
const BYTES_PER_BYTE: usize = 256;
const FREE_BYTES: usize = 4 << 20;

/// Gives `reader` so many inputs: `quick`, or what `MOE_FUZZ_INPUTS` says. It tells whether it took one for good. Fails
/// where it panics, hangs or holds too much memory, with the number of the input; prints what was found.
pub fn trial(name: &str, quick: u64, make: impl Fn(&mut Dice) -> Vec<u8>, reader: impl Fn(&[u8]) -> bool) {
    let asked = std::env::var("MOE_FUZZ_INPUTS").ok().and_then(|count| count.parse().ok());
    let inputs: u64 = asked.unwrap_or(quick);
    let (mut taken, mut slowest, mut most_held) = (0_u64, Duration::ZERO, 0);
    for number in 0..inputs {
        let input = make(&mut Dice::new(number));
        let began = Instant::now();
        let (answer, held) = memory::most_held(|| catch_unwind(AssertUnwindSafe(|| reader(&input))));
        let took = began.elapsed();
        let shown = || String::from_utf8_lossy(&input).chars().take(4000).collect::<String>();
        match answer {
            Ok(is_taken) => taken += u64::from(is_taken),
            Err(_) => panic!("{name}: input {number} makes it panic:\n{}", shown()),
        }
        assert!(took < PATIENCE, "{name}: input {number} takes {took:?}:\n{}", shown());
        let allowed = FREE_BYTES + BYTES_PER_BYTE * input.len();
        assert!(held < allowed, "{name}: input {number} takes {held} bytes of memory, not {allowed}:\n{}", shown());
        (slowest, most_held) = (slowest.max(took), most_held.max(held));
    }
    // Nothing is counted where the test's program has another allocator.
    let memory = if most_held == 0 { "memory not counted".to_owned() } else { format!("{} kB", most_held / 1000) };
    println!("{name}: {inputs} inputs, {taken} taken; at most {} ms each, {memory}", slowest.as_millis());
}
