//! The same steps in PyTorch, where it is there: `peers/speed.py`, in a process of its own for each number of threads.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use moe_trace::{RouterSpec, RoutingSpec};
use serde::Deserialize;

use super::run_file::RunFile;

const SCRIPT: &str = "crates/moe-train/peers/speed.py";

/// What the script prints.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PeerSpeed {
    pub torch: String,
    pub threads: usize,
    /// One number a round.
    pub tokens_per_second: Vec<f64>,
}

/// What to do where there is no PyTorch.
pub const MISSING: &str = "PyTorch is not there, so there is nothing to compare with; install it for the python3 of your path, \
                           for example: python3 -m pip install torch --index-url https://download.pytorch.org/whl/cpu";

/// Has the python3 of the search path a PyTorch?
pub fn is_there() -> bool {
    let quiet =
        Command::new("python3").args(["-c", "import torch"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Steps of the run's shape on so many threads.
pub fn run(run: &RunFile, vocabulary: usize, rounds: usize, threads: usize) -> Result<PeerSpeed> {
    let output = Command::new("python3")
        .arg(SCRIPT)
        .args(arguments(run, vocabulary, rounds, threads)?)
        .stderr(Stdio::inherit())
        .output()
        .context("python3 did not start")?;
    ensure!(output.status.success(), "{SCRIPT} failed: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim()).with_context(|| format!("{SCRIPT} printed {text}"))
}

fn arguments(run: &RunFile, vocabulary: usize, rounds: usize, threads: usize) -> Result<Vec<String>> {
    let RoutingSpec { router: RouterSpec::TopK { k, .. }, .. } = run.routing()? else {
        anyhow::bail!("{SCRIPT} knows top_k alone; {} has {}", run.name, run.routing.rule);
    };
    let (model, training) = (&run.model, &run.training);
    ensure!(model.num_shared_experts == 0, "{SCRIPT} knows no shared experts");
    let numbers = [
        ("d-model", model.d_model),
        ("num-layers", model.num_layers),
        ("num-heads", model.num_heads),
        ("num-kv-heads", model.num_kv_heads),
        ("num-experts", model.num_experts),
        ("d-expert", model.d_expert),
        ("k", k as usize),
        ("vocabulary", vocabulary),
        ("sequences", training.sequences),
        ("tokens", training.tokens),
        ("rounds", rounds),
        ("threads", threads),
    ];
    Ok(numbers.iter().flat_map(|(name, value)| [format!("--{name}"), value.to_string()]).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_script_is_told_the_shape_of_the_run() {
        let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
        let run = RunFile::read(&runs.join("default.toml")).expect("it is committed");
        let told = arguments(&run, 1024, 3, 2).expect("it is top-2").join(" ");
        assert!(told.starts_with("--d-model 128 --num-layers 4") && told.contains("--k 2 "), "{told}");
        // Every argument of the script is told, and no other.
        let script = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/speed.py"));
        let script = script.expect("it is committed");
        let names = script.lines().find_map(|line| line.trim().strip_prefix("names = \"")?.strip_suffix('"'));
        let known: Vec<String> =
            names.expect("they stand in a line").split(' ').map(|name| name.replace('_', "-")).collect();
        let named: Vec<&str> = told.split(' ').filter_map(|word| word.strip_prefix("--")).collect();
        assert_eq!(named, known);
    }
}
