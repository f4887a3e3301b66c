//! Which package may depend on which.
//!
//! A new edge is a decision about the architecture: change this table and say why. `cargo xtask codegen` writes it into
//! ARCHITECTURE.md.

use anyhow::{Context, Result};
use serde_json::Value;

/// A package of ours and all that it may depend on among our own.
pub struct Package {
    pub name: &'static str,
    pub may_use: &'static [&'static str],
    /// In tests, benchmarks and examples, on top of `may_use`.
    pub tests_may_use: &'static [&'static str],
}

pub const PACKAGES: [Package; 15] = [
    Package { name: "moe-trace", may_use: &[], tests_may_use: &["moe-fuzz"] },
    Package { name: "moe-router", may_use: &["moe-trace"], tests_may_use: &[] },
    Package { name: "moe-kernels", may_use: &[], tests_may_use: &["moe-router", "moe-trace"] },
    Package { name: "moe-model", may_use: &["moe-trace", "moe-router", "moe-kernels"], tests_may_use: &["moe-fuzz"] },
    Package { name: "moe-learn", may_use: &["moe-trace", "moe-router", "moe-model"], tests_may_use: &[] },
    Package { name: "moe-engine", may_use: &["moe-trace", "moe-model"], tests_may_use: &[] },
    Package {
        name: "moe-lab",
        may_use: &["moe-trace", "moe-router", "moe-model", "moe-learn"],
        tests_may_use: &["moe-fuzz"],
    },
    Package { name: "moe-mailbox", may_use: &["moe-trace"], tests_may_use: &[] },
    Package { name: "moe-lab-worker", may_use: &["moe-trace", "moe-lab", "moe-mailbox"], tests_may_use: &[] },
    Package {
        name: "moe-worker",
        may_use: &["moe-trace", "moe-engine", "moe-mailbox"],
        tests_may_use: &["moe-router", "moe-kernels", "moe-model"],
    },
    Package { name: "web", may_use: &["moe-trace", "moe-router"], tests_may_use: &["moe-fuzz"] },
    Package {
        name: "moe-train",
        may_use: &["moe-trace", "moe-router", "moe-model", "moe-learn", "moe-engine", "moe-lab"],
        tests_may_use: &[],
    },
    Package {
        name: "moe-bench",
        may_use: &["moe-trace", "moe-router", "moe-kernels", "moe-model", "moe-engine"],
        tests_may_use: &["moe-trace", "moe-router", "moe-kernels", "moe-model", "moe-engine"],
    },
    Package { name: "moe-fuzz", may_use: &[], tests_may_use: &[] },
    Package { name: "xtask", may_use: &[], tests_may_use: &[] },
];

/// A dependency from outside that only some packages may have.
pub struct Reserved {
    pub name: &'static str,
    pub packages: &'static [&'static str],
    /// May have it in tests, on top of `packages`.
    in_tests: &'static [&'static str],
}

pub const RESERVED: [Reserved; 16] = [
    reserved("burn", &["moe-kernels", "moe-model", "moe-learn", "moe-lab", "moe-train"], &["moe-worker"]),
    reserved("burn-cubecl", &["moe-kernels"], &[]),
    reserved("cubecl", &["moe-kernels"], &[]),
    reserved("wgpu", &["moe-kernels"], &[]),
    reserved("naga", &[], &["moe-kernels"]),
    reserved("tokenizers", &["moe-train"], &["moe-model"]),
    reserved("safetensors", &["moe-model"], &[]),
    reserved("yew", &["web"], &[]),
    reserved("web-sys", &["moe-mailbox", "moe-worker", "web"], &[]),
    reserved("js-sys", &["moe-mailbox", "moe-worker", "web"], &[]),
    reserved("wasm-bindgen", &["moe-mailbox", "moe-worker", "moe-lab-worker", "web"], &[]),
    reserved("wasm-bindgen-test", &[], &["moe-worker", "moe-lab-worker", "web"]),
    reserved("getrandom", &["moe-worker", "moe-lab-worker"], &[]),
    reserved("anyhow", &["moe-train", "xtask"], &[]),
    reserved("criterion", &[], &["moe-bench", "moe-router"]),
    reserved("wasm-bindgen-cli-support", &["xtask"], &[]),
];

/// Packages that may have nothing from outside but these, so that reading them takes no other knowledge.
///
/// `schemars` and `ts-rs` describe the types to others; `cargo xtask codegen` and its tests alone switch them on.
pub const CLOSED: [(&str, &[&str]); 2] =
    [("moe-trace", &["serde", "thiserror", "schemars", "ts-rs"]), ("moe-router", &[])];

const fn reserved(
    name: &'static str,
    packages: &'static [&'static str],
    in_tests: &'static [&'static str],
) -> Reserved {
    Reserved { name, packages, in_tests }
}

/// One complaint per edge that the tables do not allow. `metadata`: the output of `cargo metadata --no-deps`.
pub fn complaints(metadata: &Value) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        let name = text(&package["name"])?;
        let Some(row) = PACKAGES.iter().find(|row| row.name == name) else {
            complaints.push(format!("{name} has no row in the table of packages (xtask/src/tidy/edges.rs)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().context("a package without a list of dependencies")? {
            let is_for_tests = dependency["kind"] == "dev";
            let used = text(&dependency["name"])?;
            if let Some(reason) = forbidden(row, used, is_for_tests) {
                let place = if is_for_tests { " in its tests" } else { "" };
                complaints.push(format!("{name} may not depend on {used}{place}: {reason}"));
            }
        }
    }
    Ok(complaints)
}

fn forbidden(row: &Package, used: &str, is_for_tests: bool) -> Option<String> {
    let in_list = |list: &[&str]| list.contains(&used);
    if PACKAGES.iter().any(|package| package.name == used) {
        let allowed = in_list(row.may_use) || (is_for_tests && in_list(row.tests_may_use));
        return (!allowed).then(|| "the layout has no such edge".to_owned());
    }
    if let Some(rule) = RESERVED.iter().find(|rule| rule.name == used) {
        let allowed = rule.packages.contains(&row.name) || (is_for_tests && rule.in_tests.contains(&row.name));
        return (!allowed).then(|| match rule.packages {
            [] => format!("only tests of {} may", rule.in_tests.join(" and ")),
            packages => format!("only {} may", packages.join(" and ")),
        });
    }
    let closed = CLOSED.iter().find(|(name, _)| *name == row.name && !is_for_tests)?;
    (!in_list(closed.1)).then(|| "this package stays free of others' code".to_owned())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("cargo metadata has a name that is not text")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(package: &str, used: &str, kind: Option<&str>, expected: &[&str]) {
        let dependencies = json!([{ "name": used, "kind": kind }]);
        let metadata = json!({ "packages": [{ "name": package, "dependencies": dependencies }] });
        assert_eq!(complaints(&metadata).expect("the JSON is whole"), expected);
    }

    #[test]
    fn edges_of_the_table_are_allowed() {
        check("moe-router", "moe-trace", None, &[]);
        check("moe-kernels", "moe-router", Some("dev"), &[]);
        check("moe-model", "burn", None, &[]);
        check("moe-router", "proptest", Some("dev"), &[]);
    }

    #[test]
    fn other_edges_are_not() {
        check("web", "moe-model", None, &["web may not depend on moe-model: the layout has no such edge"]);
        check(
            "moe-kernels",
            "moe-router",
            None,
            &["moe-kernels may not depend on moe-router: the layout has no such edge"],
        );
        check(
            "web",
            "burn",
            Some("dev"),
            &[
                "web may not depend on burn in its tests: only moe-kernels and moe-model and moe-learn and moe-lab and moe-train may",
            ],
        );
        check(
            "moe-router",
            "rand",
            None,
            &["moe-router may not depend on rand: this package stays free of others' code"],
        );
        check("moe-new", "serde", None, &["moe-new has no row in the table of packages (xtask/src/tidy/edges.rs)"]);
    }
}
