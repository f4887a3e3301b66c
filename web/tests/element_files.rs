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

/// The names in a text that follow a beginning, up to what ends a name.
fn names_after(text: &str, begin: &str) -> Names {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    text.split(begin).skip(1).map(name).collect()
}

/// All files below a folder whose names end like this, as one text.
fn all_of(folder: &str, ending: &str) -> String {
    let mut folders = vec![root().join(folder)];
    let mut texts = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.to_string_lossy().ends_with(ending) {
                texts += &read(entry);
            }
        }
    }
    texts
}

#[test]
fn custom_properties_and_parts_are_the_same_everywhere() {
    let styles = all_of("web/style", ".css") + &read(format!("{PACKAGE}/src/export/dialog.css"));
    // Lists of fallbacks stand in lines of their own.
    let styles: String = styles.split_whitespace().collect();
    let mut properties = names_after(&styles, "var(--moe-");
    assert!(properties.remove("px"), "it is the figure's own");
    let properties: Names = properties.iter().map(|name| format!("--moe-{name}")).collect();
    let mut parts = names_after(&all_of("web/src/views", ".rs"), "part=\"");
    let element = read(format!("{PACKAGE}/src/element.js"));
    parts.extend(names_after(&element.replace("built(\"div\"", "built(\"p\""), "built(\"p\", \""));
    let (in_table, parts_in_table): (Names, Names) =
        documented("Looks").into_iter().partition(|name| name.starts_with("--"));
    assert_eq!(in_table, properties);
    assert_eq!(of_manifest("cssProperties", |_| true), properties);
    assert_eq!(parts_in_table, parts);
    assert_eq!(of_manifest("cssParts", |_| true), parts);
}

/// On paper a colour for a screen may not be seen.
#[test]
fn no_colour_of_a_page_is_left_on_paper() {
    let colours = read("web/style/colors.css");
    let print: String = read("web/style/print.css").split_whitespace().collect();
    let picture = read(format!("{PACKAGE}/src/export/picture.js"));
    let (_, list) = picture.split_once("OWN_COLOURS = [").expect("the list");
    let (list, _) = list.split_once(']').expect("its end");
    let names = names_after(&colours, "var(--moe-");
    assert!(names.contains("accent"), "{names:?}");
    for name in names {
        assert!(print.contains(&format!("--moe-{name}:initial;")), "web/style/print.css keeps --moe-{name}");
        assert!(list.contains(&format!("\"{name}\"")), "a saved picture keeps --moe-{name}");
    }
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
