//! Prints the TypeScript mirror of every type that crosses a boundary. `cargo xtask codegen` writes it to the element's
//! package; the test below fails when that file is stale.

use std::collections::BTreeMap;

use moe_trace::{Command, Event, ModelEntry, Policy, ReadyDetail, TraceFile, TrainCommand, TrainEvent};
use ts_rs::{TS, TypeVisitor};

const HEADER: &str = "\
// What crosses a boundary: messages of the worker, lines of a trace file, details of DOM events.
// Generated from crates/moe-trace by `cargo xtask codegen`; change the Rust types instead.
";

fn main() {
    print!("{}", declarations());
}

/// Every type once, by name: the derive macro gives a type's dependencies in another order at every compilation.
fn declarations() -> String {
    let mut mirror = Mirror::default();
    mirror.visit::<Command>();
    mirror.visit::<Event>();
    mirror.visit::<TrainCommand>();
    mirror.visit::<TrainEvent>();
    mirror.visit::<ReadyDetail>();
    mirror.visit::<TraceFile>();
    mirror.visit::<ModelEntry>();
    // Nothing on the wire mentions it, but the element's attribute has its values.
    mirror.visit::<Policy>();
    let declarations: Vec<String> = mirror.0.into_values().collect();
    let text = format!("{HEADER}\n{}", declarations.join("\n"));
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Declarations by the name of the type.
#[derive(Default)]
struct Mirror(BTreeMap<String, String>);

impl TypeVisitor for Mirror {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Numbers, strings and lists have no declaration of their own, hence no path.
        if T::output_path().is_none() || self.0.contains_key(&T::name()) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.0.insert(T::name(), format!("{docs}export {}\n", T::decl()));
        T::visit_dependencies(self);
    }
}

#[cfg(test)]
mod tests {
    use super::declarations;

    #[test]
    fn the_committed_mirror_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../www/packages/moe-playground/types.d.ts");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == declarations(), "{path} is stale: run `cargo xtask codegen`");
    }
}
