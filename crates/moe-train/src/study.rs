//! Runs that nobody is shown, trained to answer a question: what a finding compares, over several seeds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::findings::balance::{self, Trained};
use crate::train::data;
use crate::train::run_file::RunFile;
use crate::workshop::Workshop;

#[derive(Args, Debug, Clone)]
pub struct StudyArgs {
    /// Names of run files, of those below.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Seeds; those that were measured before are left as they are.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    pub seeds: Vec<u64>,
    /// Folders of run files; the first that has one of a name counts, since studies are shorter than the menu's runs.
    #[arg(long, value_delimiter = ',', default_values = ["crates/moe-train/studies", "crates/moe-train/runs"])]
    pub runs: Vec<PathBuf>,
    /// Windows per kind of text.
    #[arg(long, default_value_t = 64)]
    pub windows: usize,
    /// Where `measure` finds what was measured.
    #[arg(long, default_value = "docs/measurements/balance.json")]
    pub write: PathBuf,
    #[command(flatten)]
    pub workshop: Workshop,
}

/// Trains, scores and writes down what is not known yet, a model after another: seed by seed, so that what was begun
/// compares like with like wherever it is stopped.
pub fn run(args: &StudyArgs) -> Result<()> {
    let corpus = data::open_all(&args.workshop.data)?;
    let mut known = balance::read(&args.write)?;
    for &seed in &args.seeds {
        for name in &args.names {
            if known.iter().any(|row| row.run == *name && row.seed == seed) {
                continue;
            }
            let run = find(&args.runs, name)?;
            let run = RunFile { name: format!("{name}-seed-{seed}"), seed, ..run };
            let (model, evaluation) = args.workshop.train_and_score(run, Some(args.windows))?;
            let row = Trained::of(name, seed, model, &evaluation, &corpus, args.windows)?;
            println!("{}", row.in_words());
            known.push(row);
            known.sort_by(|a, b| (&a.run, a.seed).cmp(&(&b.run, b.seed)));
            balance::write(&args.write, &known)?;
        }
    }
    Ok(())
}

/// The run file of this name in the first folder that has one.
fn find(folders: &[PathBuf], name: &str) -> Result<RunFile> {
    let path = |folder: &PathBuf| folder.join(format!("{name}.toml"));
    let path = folders.iter().map(path).find(|path| fs::exists(path).unwrap_or(false));
    let path = path.with_context(|| format!("no run file is called {name}.toml in {}", listed(folders)))?;
    RunFile::read(&path)
}

fn listed(folders: &[PathBuf]) -> String {
    let names: Vec<_> = folders.iter().map(|folder: &PathBuf| Path::display(folder).to_string()).collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_study_differs_from_a_run_in_what_its_name_says() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
        let studies = RunFile::all_in(&folder).unwrap_or_else(|error| panic!("{error:#}"));
        let of_name = |name: &str| studies.iter().find(|study| study.name == name).expect(name);
        assert!(studies.len() > 4);
        for study in &studies {
            let base = of_name(if study.name.starts_with("deepseek") { "deepseek" } else { "top2" });
            assert_eq!((study.seed, study.training.steps), (base.seed, base.training.steps), "{}", study.name);
            assert_eq!(study.training.domains, base.training.domains, "{}", study.name);
            let named = RunFile { name: study.name.clone(), ..base.clone() };
            assert_eq!(study.trains_as(&named), study.name == base.name, "{}", study.name);
        }
    }

    #[test]
    fn a_study_goes_before_a_run_of_the_menu() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = [folder.join("studies"), folder.join("runs")];
        let steps = |name: &str| find(&folders, name).unwrap_or_else(|error| panic!("{error:#}")).training.steps;
        assert!(steps("top2") < steps("default"));
        assert!(find(&folders, "nothing").is_err());
    }
}
