//! Every rule against numbers an independent implementation computed (NumPy, f64, written from the papers).
//!
//! `tests/fixtures/*.json` hold inputs, draws and expected outputs; a folder named by `MOE_ORACLE_DIR` is read as well,
//! by its path from here or from the workspace. Whole numbers must agree exactly, others within 1e-5 (relative, where they
//! exceed 1). Where two sort keys are nearer than f32 can tell, a token may choose otherwise than in f64: what follows
//! from such a choice, and nothing else, is reported instead of failed, up to a fifth of a case's fields. See [`ties`].
//! The test fails when a fixture holds a key that nothing here reads, so no expected number is left unused unawares.

mod deepseek;
mod extras;
mod fixture;
mod gates;
mod groups;
mod losses;
mod measure;
mod mixing;
mod overflow;
mod ties;
mod token_choice;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::fixture::{Ledger, Node};

#[test]
fn every_fixture_agrees() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")];
    folders.extend(std::env::var_os("MOE_ORACLE_DIR").map(|folder| from_here_or_the_workspace(Path::new(&folder))));
    let ledger = Ledger::default();
    let (mut num_files, mut num_cases) = (0, 0);
    for folder in folders {
        let (files_before, cases_before) = (num_files, num_cases);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            let text = std::fs::read_to_string(file).expect("a readable file");
            let root: Value = serde_json::from_str(&text).expect("valid JSON");
            num_files += 1;
            num_cases += check_file(&ledger, &file.display().to_string(), &root);
        }
        assert!(num_files > files_before, "{} holds no JSON", folder.display());
        assert!(num_cases > cases_before, "{} holds no case", folder.display());
    }
    println!("{num_files} files, {num_cases} cases: {}", ledger.summary());
    let differences = ledger.differences();
    assert!(differences.is_empty(), "{} differences:\n  {}", differences.len(), differences.join("\n  "));
    let unread = ledger.unread();
    assert!(unread.is_empty(), "nothing reads these keys:\n  {}", unread.join("\n  "));
}

/// Tests run in the folder of their crate; whoever names a folder stands in that of the workspace.
fn from_here_or_the_workspace(folder: &Path) -> PathBuf {
    let in_workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    if folder.exists() { folder.to_owned() } else { in_workspace }
}

/// Checks one file and returns how many cases it held. Files are made in one go with all rules on the same inputs;
/// the worked examples of the documentation sit in one of them.
fn check_file(ledger: &Ledger, name: &str, root: &Value) -> usize {
    ledger.enter(name, root);
    let root = Node::root(ledger, root);
    let mut cases = root.find("random").map(|random| random.each()).unwrap_or_default();
    cases.extend(["example6", "example8"].iter().filter_map(|example| root.find(example)));
    for case in &cases {
        // The oracle's own word for near ties is of all keys of a case; here every rule looks at its own.
        case.at("input").at("min_key_gap").skip();
        token_choice::check(case);
        gates::check(case);
        deepseek::check(case);
        groups::check(case);
        losses::check(case);
        measure::check(case);
        mixing::check(case);
        overflow::check(case);
        ledger.leave_case(case);
    }
    for section in ["generator", "version"] {
        root.at(section).skip();
    }
    for (section, check) in [
        ("capacity_table", overflow::check_capacity_table as fn(&Node)),
        ("extras6", extras::check),
        ("hash", extras::check_hash),
        ("leak", measure::check_leak),
        ("measurements", measure::check_stream),
        ("peft", mixing::check_peft),
        ("rng", extras::check_draws),
    ] {
        root.find(section).iter().for_each(check);
    }
    cases.len()
}
