//! Do the models of the site, their run files, their cards and what was measured of them belong together?

use std::fs;
use std::path::{Path, PathBuf};

use moe_train::evaluate::Evaluation;
use moe_train::export::Effort;
use moe_train::site_model::SiteModel;
use moe_train::train::run_file::RunFile;

/// All weights together, bytes.
const MOST_WEIGHTS: u32 = 40_000_000;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn models() -> Vec<SiteModel> {
    let models = SiteModel::all_in(&repository().join("www/site/models")).expect("the site has models");
    assert!(models.len() > 1);
    models
}

#[test]
fn a_model_was_trained_by_the_run_file_of_its_name() {
    for model in models() {
        let runs = repository().join("crates/moe-train/runs");
        let of_repository = RunFile::read(&runs.join(format!("{}.toml", model.name()))).expect("it is a run file");
        assert_eq!(model.run().expect("it is a run file"), of_repository);
    }
}

#[test]
fn every_model_has_a_place_of_its_own_in_the_menu() {
    let places: Vec<Option<u32>> = models().iter().map(|model| model.run().expect("a run file").order).collect();
    assert_eq!(places, (1..=places.len() as u32).map(Some).collect::<Vec<_>>());
}

#[test]
fn cards_and_figures_are_of_the_weights_beside_them() {
    let findings = text(&repository().join("docs/FINDINGS.md"));
    for model in models() {
        let (name, sha256) = (model.name(), &model.manifest.weights.sha256);
        let evaluation = Evaluation::read(&model).expect("it is an evaluation").expect("it is there");
        assert_eq!(evaluation.weights_sha256, *sha256, "{name}: evaluate again");
        let card = model.text("MODEL_CARD.md").expect("it has a card");
        assert!(card.contains(sha256), "{name}: write the cards again");
        let run = model.text("run.toml").expect("it has a run file");
        assert!(card.contains(&run), "{name}: write the cards again");
        let measured = model.manifest.config.num_experts == 1 || findings.contains(&sha256[..16]);
        assert!(measured, "{name}: measure again");
    }
}

#[test]
fn a_tuned_model_began_with_the_model_beside_it() {
    let effort = |model: &SiteModel| Effort::read(model).expect("it is readable").expect("it is there");
    let mut tuned = 0;
    for model in models() {
        let Some(name) = model.run().expect("it is a run file").start_from else {
            assert_eq!(effort(&model).started_from, None, "{}", model.name());
            continue;
        };
        let base = SiteModel::open(&model.folder.with_file_name(name)).expect("its base is of the site");
        assert!(effort(&model).began_with(&base.manifest, &effort(&base)), "{}", model.name());
        tuned += 1;
    }
    assert!(tuned > 0);
}

#[test]
fn all_weights_together_stay_small() {
    let bytes: u32 = models().iter().map(|model| model.manifest.weights.bytes).sum();
    assert!(bytes < MOST_WEIGHTS, "{bytes} bytes of weights");
}
