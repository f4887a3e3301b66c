//! `cargo xtask fuzz`: every reader of files from outside, on many spoilt inputs. The tests do the same on few.

use anyhow::Result;
use clap::Args;

use crate::project;

#[derive(Args)]
pub struct Options {
    /// So many inputs for each reader, and a hundredth of them for what is drawn whole
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// Only readers whose tests have this in their names
    #[arg(default_value = "fuzz_")]
    reader: String,
}

pub fn command(options: &Options) -> Result<()> {
    let mut tests = project::cargo("test");
    tests.args(project::NATIVE_PACKAGES).arg(&options.reader).env("MOE_FUZZ_INPUTS", options.inputs.to_string());
    project::run(tests.args(["--", "--nocapture"]))
}
