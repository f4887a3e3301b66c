//! A reader on trial: many inputs, and what it took to answer them.

use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::dice::Dice;
use crate::memory;

/// The longest that an answer may take. A machine under load is slow, and a hang is for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that may be held for each byte of input, and those that may be held anyway.
const BYTES_PER_BYTE: usize = 256;
const FREE_BYTES: usize = 4 << 20;

/// Gives `reader` so many inputs: `quick`, or what `MOE_FUZZ_INPUTS` says, on all processors then. It tells whether it
/// took one for good. Fails where it panics, hangs or holds too much memory, with the number of the input; prints what
/// was found.
pub fn trial(
    name: &str,
    quick: u64,
    make: impl Fn(&mut Dice) -> Vec<u8> + Sync,
    reader: impl Fn(&[u8]) -> bool + Sync,
) {
    match asked() {
        None => report(name, quick, quick, &make, &reader),
        Some(inputs) => report(name, inputs, inputs, &make, &reader),
    }
}

/// The same of what does much more than read: of the inputs that are asked for it gets one in a hundred, `quick` at least.
pub fn trial_of_much_work(
    name: &str,
    quick: u64,
    make: impl Fn(&mut Dice) -> Vec<u8> + Sync,
    work: impl Fn(&[u8]) -> bool + Sync,
) {
    let asked = asked();
    let inputs = asked.map_or(quick, |asked| quick.max(asked / 100));
    report(name, inputs, asked.unwrap_or(inputs), &make, &work);
}

fn asked() -> Option<u64> {
    env::var("MOE_FUZZ_INPUTS").ok().and_then(|count| count.parse().ok())
}

fn report(
    name: &str,
    inputs: u64,
    asked: u64,
    make: &(impl Fn(&mut Dice) -> Vec<u8> + Sync),
    reader: &(impl Fn(&[u8]) -> bool + Sync),
) {
    // Few are quicker than the threads are made, and other tests run beside.
    let threads = if inputs < 5000 { 1 } else { thread::available_parallelism().map_or(1, |cores| cores.get() as u64) };
    let began = Instant::now();
    let of_thread = |first: u64| {
        let mut found = Found::default();
        for number in (first..inputs).step_by(threads as usize) {
            found += one(name, number, make, reader);
        }
        found
    };
    let mut found = Found::default();
    thread::scope(|scope| {
        let running: Vec<_> = (1..threads).map(|first| scope.spawn(move || of_thread(first))).collect();
        found += of_thread(0);
        for thread in running {
            found += thread.join().unwrap_or_else(|failure| std::panic::resume_unwind(failure));
        }
    });
    let Found { taken, slowest, most_held } = found;
    // Nothing is counted where the test's program has another allocator.
    let memory = if most_held == 0 { "memory not counted".to_owned() } else { format!("{} kB", most_held / 1000) };
    let of = if inputs == asked { String::new() } else { format!(" (of {asked}: each is much work)") };
    let (seconds, slowest) = (began.elapsed().as_secs_f32(), slowest.as_millis());
    println!("{name}: {inputs} inputs{of}, {taken} taken, in {seconds:.1} s; at most {slowest} ms each, {memory}");
}

/// What came of some inputs.
#[derive(Default)]
struct Found {
    taken: u64,
    slowest: Duration,
    most_held: usize,
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Found) {
        self.taken += other.taken;
        self.slowest = self.slowest.max(other.slowest);
        self.most_held = self.most_held.max(other.most_held);
    }
}

fn one(name: &str, number: u64, make: impl Fn(&mut Dice) -> Vec<u8>, reader: impl Fn(&[u8]) -> bool) -> Found {
    let input = make(&mut Dice::new(number));
    let began = Instant::now();
    let (answer, held) = memory::most_held(|| catch_unwind(AssertUnwindSafe(|| reader(&input))));
    let took = began.elapsed();
    let shown = || String::from_utf8_lossy(&input).chars().take(4000).collect::<String>();
    let is_taken = answer.unwrap_or_else(|_| panic!("{name}: input {number} makes it panic:\n{}", shown()));
    assert!(took < PATIENCE, "{name}: input {number} takes {took:?}:\n{}", shown());
    let allowed = FREE_BYTES + BYTES_PER_BYTE * input.len();
    assert!(held < allowed, "{name}: input {number} takes {held} bytes of memory, not {allowed}:\n{}", shown());
    Found { taken: u64::from(is_taken), slowest: took, most_held: held }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_input_comes_once_whatever_the_threads() {
        let numbers = Mutex::new(Vec::new());
        let reader = |bytes: &[u8]| {
            numbers.lock().expect("nobody fails").push(bytes.to_vec());
            bytes[0] < 128
        };
        report("numbers", 6000, 6000, &|dice: &mut Dice| dice.u64().to_le_bytes().to_vec(), &reader);
        let mut numbers = numbers.into_inner().expect("nobody failed");
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 6000);
    }

    #[test]
    fn a_failure_on_any_thread_is_told_with_its_number() {
        let reader = |bytes: &[u8]| bytes != Dice::new(5003).u64().to_le_bytes() || panic!("this one");
        let make = |dice: &mut Dice| dice.u64().to_le_bytes().to_vec();
        let failure = catch_unwind(AssertUnwindSafe(|| report("numbers", 6000, 6000, &make, &reader)));
        let failure = failure.expect_err("one input makes it panic");
        let words = failure.downcast_ref::<String>().expect("in words");
        assert!(words.starts_with("numbers: input 5003 makes it panic"), "{words}");
    }
}
