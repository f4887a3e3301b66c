//! Draws the first paint: the page at the beginning of a recorded run, as static HTML between the marks of a page.
//!
//! `cargo run -p web --example first_paint -- www/site/traces/default.jsonl www/site/index.html`
//!
//! The same views draw it that take over in the browser, so nothing moves when they do.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use moe_trace::TraceFile;
use web::attributes::Config;
use web::replay;
use web::shared::Shared;
use web::state::State;
use web::views::page::{Page, PageProps};
use yew::{Callback, ServerRenderer};

const BEGIN: &str = "<!-- first-paint -->";
const END: &str = "<!-- /first-paint -->";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, trace, page] = arguments.as_slice() else {
        return Err("usage: first_paint TRACE.jsonl PAGE.html".into());
    };
    let file = TraceFile::from_lines(&fs::read_to_string(trace)?, serde_json::from_str, serde_json::from_str)?;
    let old = fs::read_to_string(page)?;
    let (before, rest) = old.split_once(BEGIN).ok_or("the page has no mark where the first paint begins")?;
    let (_, after) = rest.split_once(END).ok_or("the page has no mark where the first paint ends")?;

    let html = block_on(ServerRenderer::<Page>::with_props(move || props(file)).hydratable(false).render());
    // Nothing in it works yet: it can be read, not used.
    fs::write(page, format!("{before}{BEGIN}<div inert>{html}</div>{END}{after}"))?;
    println!("{page}: {} bytes of first paint", html.len());
    Ok(())
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
