//! The element's class, its TypeScript declarations, its manifest for editors and its documentation name the same
//! methods and events.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

type Names = BTreeSet<String>;

const PACKAGE: &str = "www/packages/moe-playground";

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The word that a text begins with, as JavaScript has them, and what follows it.
fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

/// The methods that stand in the body of `export class MoePlayground`, in JavaScript or TypeScript.
fn methods_of_class(text: &str) -> Names {
    let (_, body) = text.split_once("export class MoePlayground").expect("the class");
    let (body, _) = body.split_once("\n}\n").expect("its end");
    let members = body.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let methods = members.map(word).filter(|(_, rest)| rest.starts_with('(')).map(|(name, _)| name);
    // What the browser calls, and what every element has.
    let is_own = |name: &&str| !name.is_empty() && !name.ends_with("Callback") && !name.ends_with("EventListener");
    methods.filter(|name| is_own(name) && *name != "constructor").map(str::to_owned).collect()
}

/// Every `"moe-…"` of a text.
fn quoted_events(text: &str) -> Names {
    text.split('"').skip(1).step_by(2).filter(|quoted| quoted.starts_with("moe-")).map(str::to_owned).collect()
}

/// The first column of the first table after a heading of docs/EMBEDDING.md, up to the end of the name.
fn documented(heading: &str) -> Names {
    let text = read("docs/EMBEDDING.md");
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).expect("the section");
    let rows = section.lines().take_while(|line| !line.starts_with("## ")).filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split(['(', '`']).next().unwrap_or_default().to_owned()).collect()
}

fn of_manifest(list: &str, is_wanted: impl Fn(&Value) -> bool) -> Names {
    let manifest: Value = serde_json::from_str(&read(format!("{PACKAGE}/custom-elements.json"))).expect("it is JSON");
    let entries = manifest["modules"][0]["declarations"][0][list].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| is_wanted(entry))
        .filter_map(|entry| Some(entry["name"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn methods_are_the_same_everywhere() {
    let methods = methods_of_class(&read(format!("{PACKAGE}/src/element.js")));
    assert!(methods.contains("run") && methods.contains("getTrace"), "{methods:?}");
    assert_eq!(methods_of_class(&read(format!("{PACKAGE}/index.d.ts"))), methods);
    assert_eq!(of_manifest("members", |member| member["kind"] == "method"), methods);
    assert_eq!(documented("Methods"), methods);
}

#[test]
fn events_are_the_same_everywhere() {
    let declarations = read(format!("{PACKAGE}/index.d.ts"));
    let (_, map) = declarations.split_once("interface MoePlaygroundEventMap {").expect("the events");
    let events = quoted_events(map.split_once("\n}").expect("its end").0);
    let mut sent = quoted_events(&read("web/src/effects/host.rs"));
    assert!(sent.remove("moe-run-failed"), "it is for the element alone, and does not bubble");
    let element = read(format!("{PACKAGE}/src/element.js"));
    sent.extend(
        element.split("#dispatch(").skip(1).flat_map(|call| quoted_events(call.split(',').next().unwrap_or_default())),
    );
    let not_sent: Vec<&String> = events.difference(&sent).collect();
    assert!(not_sent.is_empty() && !events.is_empty(), "{not_sent:?} are promised and never sent");
    assert!(sent.is_subset(&events), "{sent:?} are sent, {events:?} are promised");
    assert_eq!(of_manifest("events", |_| true), events);
    assert_eq!(documented("Events"), events);
}

#[test]
fn the_package_brings_along_what_it_names() {
    let package: Value = serde_json::from_str(&read(format!("{PACKAGE}/package.json"))).expect("it is JSON");
    let files = package["files"].as_array().cloned().unwrap_or_default();
    for key in ["types", "customElements"] {
        let named = package[key].as_str().unwrap_or_default().trim_start_matches("./");
        assert!(files.iter().any(|file| file == named), "{key}: {named:?}");
        assert!(root().join(PACKAGE).join(named).is_file(), "{key}: {named:?}");
    }
}
