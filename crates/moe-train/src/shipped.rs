//! Do the models of the site, their run files, their cards and what was measured of them belong together?

use std::fs;
use std::path::{Path, PathBuf};

use moe_model::Manifest;

use crate::evaluate::Evaluation;
use crate::export::Effort;
use crate::train::run_file::RunFile;

/// All weights together, bytes.
const MOST_WEIGHTS: u32 = 40_000_000;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Folders and manifests.
fn models() -> Vec<(PathBuf, Manifest)> {
    let entries = fs::read_dir(repository().join("www/site/models")).expect("the site has models");
    let folders = entries.map(|entry| entry.expect("it can be listed").path()).filter(|path| path.is_dir());
    let open = |folder: PathBuf| {
        let manifest = text(&folder.join("manifest.json"));
        let manifest = Manifest::from_json(manifest.as_bytes()).expect("a manifest of this version");
        (folder, manifest)
    };
    let models: Vec<_> = folders.map(open).collect();
    assert!(models.len() > 1);
    models
}

#[test]
fn a_model_was_trained_by_the_run_file_of_its_name() {
    for (folder, manifest) in models() {
        let of_model = RunFile::read(&folder.join("run.toml")).expect("it is a run file");
        let runs = repository().join("crates/moe-train/runs");
        let of_repository = RunFile::read(&runs.join(format!("{}.toml", manifest.name))).expect("it is a run file");
        assert_eq!(of_model, of_repository);
    }
}

#[test]
fn cards_and_figures_are_of_the_weights_beside_them() {
    let findings = text(&repository().join("docs/FINDINGS.md"));
    for (folder, manifest) in models() {
        let sha256 = &manifest.weights.sha256;
        let evaluation: Evaluation =
            serde_json::from_str(&text(&folder.join("evaluation.json"))).expect("it is an evaluation");
        assert_eq!(evaluation.weights_sha256, *sha256, "{}: evaluate again", manifest.name);
        assert!(text(&folder.join("MODEL_CARD.md")).contains(sha256), "{}: write the cards again", manifest.name);
        let measured = manifest.config.num_experts == 1 || findings.contains(&sha256[..16]);
        assert!(measured, "{}: measure again", manifest.name);
    }
}

#[test]
fn a_tuned_model_began_with_the_model_beside_it() {
    let mut tuned = 0;
    for (folder, _) in models() {
        let effort = |folder: &Path| Effort::read(folder).expect("it is readable").expect("it is there");
        let run = RunFile::read(&folder.join("run.toml")).expect("it is a run file");
        let base = run.start_from.map(|name| effort(&folder.with_file_name(name)).trained_sha256);
        tuned += usize::from(base.is_some());
        assert_eq!(effort(&folder).started_from, base, "{}", folder.display());
    }
    assert!(tuned > 0);
}

#[test]
fn all_weights_together_stay_small() {
    let bytes: u32 = models().iter().map(|(_, manifest)| manifest.weights.bytes).sum();
    assert!(bytes < MOST_WEIGHTS, "{bytes} bytes of weights");
}
