//! Prints the first paint: the page at the beginning of the recorded run, as static HTML. `cargo xtask codegen` writes
//! it to `www/first-paint.html`, which is served inside the index page; the test below fails when it is stale.
//!
//! The same views draw it that take over in the browser, so nothing moves when they do.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use moe_trace::TraceFile;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::state::State;
use web::state::replay;
use web::views::page::{Page, PageProps};
use yew::{Callback, ServerRenderer};

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", drawn()?);
    Ok(())
}

/// The file as it should be: a tag a line, so that a change to a view can be read in it. The line breaks are inside the
/// tags, where they mean nothing.
fn drawn() -> Result<String, Box<dyn Error>> {
    let lines = fs::read_to_string(www("site/traces/default.jsonl"))?;
    let trace = TraceFile::from_lines(&lines, serde_json::from_str, serde_json::from_str)?;
    let html = pollster::block_on(ServerRenderer::<Page>::with_props(move || props(trace)).hydratable(false).render());
    // Nothing in it works yet: it can be read, not used.
    Ok(format!("<div inert>{html}</div>\n").replace("><", "\n><"))
}

fn www(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../www")).join(path)
}

/// The page as it stands when the recorded run has arrived and the engine has not.
fn props(file: TraceFile) -> PageProps {
    let steps = file.steps.into_iter().map(replay::step);
    let actions = [replay::began(file.header)].into_iter().chain(steps).chain([replay::finished()]);
    let (state, _) = State::new(Config::default(), Vec::new());
    let state = actions.fold(state, |state, action| state.apply(action).0);
    PageProps { state: Shared::new(state), dispatch: Callback::noop() }
}

#[cfg(test)]
mod tests {
    use super::{drawn, www};

    #[test]
    fn the_committed_first_paint_is_current() {
        let committed = std::fs::read_to_string(www("first-paint.html")).expect("there is a first paint");
        assert!(
            committed == drawn().expect("it can be drawn"),
            "www/first-paint.html is stale: run `cargo xtask codegen`"
        );
    }
}
