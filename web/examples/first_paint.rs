//! Prints the site's index page with the first paint drawn: the page at the beginning of the recorded run, as static
//! HTML between the marks. `cargo xtask codegen` writes it; the test below fails when the committed page is stale.
//!
//! The same views draw it that take over in the browser, so nothing moves when they do.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use moe_trace::TraceFile;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::state::State;
use web::state::replay;
use web::views::page::{Page, PageProps};
use yew::{Callback, ServerRenderer};

const BEGIN: &str = "<!-- first-paint -->";
const END: &str = "<!-- /first-paint -->";

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", drawn()?);
    Ok(())
}

/// The index page as it should be.
fn drawn() -> Result<String, Box<dyn Error>> {
    let lines = fs::read_to_string(site("traces/default.jsonl"))?;
    let trace = TraceFile::from_lines(&lines, serde_json::from_str, serde_json::from_str)?;
    let committed = fs::read_to_string(site("index.html"))?;
    let (before, rest) = committed.split_once(BEGIN).ok_or("the page has no mark where the first paint begins")?;
    let (_, after) = rest.split_once(END).ok_or("the page has no mark where the first paint ends")?;
    let html = block_on(ServerRenderer::<Page>::with_props(move || props(trace)).hydratable(false).render());
    // Nothing in it works yet: it can be read, not used.
    Ok(format!("{before}{BEGIN}<div inert>{html}</div>{END}{after}"))
}

fn site(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site")).join(path)
}

/// The page as it stands when the recorded run has arrived and the engine has not.
fn props(file: TraceFile) -> PageProps {
    let mut state = State::new(Config::default(), Vec::new()).apply(replay::began(file.header));
    for step in file.steps {
        state = state.apply(replay::step(step));
    }
    PageProps { state: Shared::new(state.apply(replay::finished())), dispatch: Callback::noop() }
}

/// Waits for a future on this thread; the renderer brings threads of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{drawn, site};

    #[test]
    fn the_committed_first_paint_is_current() {
        let committed = std::fs::read_to_string(site("index.html")).expect("there is a page");
        assert!(
            committed == drawn().expect("the page can be drawn"),
            "www/site/index.html is stale: run `cargo xtask codegen`"
        );
    }
}
