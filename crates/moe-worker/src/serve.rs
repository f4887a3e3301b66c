//! The worker's loop: one command after another, never two at once.

use std::cell::RefCell;
use std::rc::Rc;

use moe_engine::manifest::ManifestError;
use moe_engine::{Arithmetic, Counter, Engine, LoadError, device};
use moe_mailbox::{Turns, Wake, listen, now_ms, post};
use moe_trace::{BackendChoice, Command, Event, GateHistory, RunId, RunRequest, Rung, Telling, UserError};
use wasm_bindgen_futures::spawn_local;

use crate::cache::{self, Cache};
use crate::fetch::error::FetchError;
use crate::fetch::{ManifestFailure, OnDemand};
use crate::mailbox::{Inbox, Paced};
use crate::{backend, fetch};

/// Listens for commands and works them off.
pub fn start() {
    let inbox = Inbox::default();
    let wake = Wake::default();
    // Of the model that is ready.
    let counter: Rc<RefCell<Option<Counter>>> = Rc::default();
    let (on_command, on_wake, on_count) = (inbox.clone(), wake.clone(), counter.clone());
    listen(move |command| match command {
        Err(error) => post(&Event::Failed { run: None, error, fatal: false }),
        Ok(Command::Count(text)) => {
            let num_tokens = on_count.borrow().as_ref().and_then(|counter| counter.count(&text));
            if let Some(num_tokens) = num_tokens {
                post(&Event::Counted { text, num_tokens });
            }
        }
        Ok(Command::RemoveKept) => spawn_local(async {
            cache::remove_all().await;
            post(&Event::Kept { bytes: 0, why_not: None });
        }),
        Ok(command) => {
            on_command.push(command);
            on_wake.wake();
        }
    });
    spawn_local(async move {
        let mut engine = None;
        let mut history = None;
        let turns = Turns::default();
        loop {
            match inbox.take() {
                Some(Command::Load { manifest_url, backend }) => {
                    // Two models at once would be two copies of weights; and a failed load leaves none.
                    engine = None;
                    match load(&manifest_url, backend).await {
                        Ok((loaded, of_training)) => {
                            counter.replace(Some(loaded.counter()));
                            engine = Some(loaded);
                            history = of_training;
                        }
                        Err((error, fatal)) => post(&Event::Failed { run: None, error, fatal }),
                    }
                }
                Some(Command::Run(request)) => run(engine.as_mut(), &request, &inbox, &turns).await,
                Some(Command::RouteThen { run, text }) => {
                    match route_then(engine.as_mut(), history.as_mut(), run, &text).await {
                        Ok(routed) => post(&Event::RoutedThen(routed)),
                        Err((error, fatal)) => post(&Event::Failed { run: Some(run), error, fatal }),
                    }
                }
                // The run it meant is over already; and the others were answered on arrival.
                Some(Command::Stop(_) | Command::Count(_) | Command::RemoveKept) => {}
                None => wake.wait().await,
            }
        }
    });
}

/// Fetches a model and makes it ready; on a GPU only if it computes there what it does on the CPU. The `bool` tells whether the worker must be replaced.
async fn load(manifest_url: &str, choice: BackendChoice) -> Result<(Engine, Option<OnDemand>), (UserError, bool)> {
    let fetched = |error: FetchError| (UserError::from(error), false);
    let cache = Cache::open().await;
    let (manifest, json) = fetch::manifest(manifest_url, &cache).await.map_err(|failure| match failure {
        ManifestFailure::Fetched(error) => fetched(error),
        ManifestFailure::Described(error) => (described(error), false),
    })?;
    let files = fetch::Files::new(manifest_url, &manifest).map_err(fetched)?;
    let paced = Paced::default();
    let arrived = files.get(&cache, |progress| paced.post(&progress)).await.map_err(fetched)?;
    let (weights, tokenizer) = (&arrived.weights, &arrived.tokenizer);
    let (arithmetic, info) = backend::choose(choice).await.map_err(|error| (error, false))?;
    // Files that do not make a model will not make one in a fresh worker either; a device may.
    let failed = |error: LoadError| {
        let fatal = matches!(error, LoadError::Device(_));
        (UserError::from(error), fatal)
    };
    let mut engine = Engine::load(&manifest, weights, tokenizer, &arithmetic).await.map_err(failed)?;
    let mut info = info;
    if info.rung == Rung::Webgpu {
        let in_f32 = Arithmetic::F32(device::cpu());
        let mut trusted = Engine::load(&manifest, weights, tokenizer, &in_f32).await.map_err(failed)?;
        let difference = engine.differs_from(&mut trusted).await.map_err(|error| (error.error, error.fatal))?;
        if let Some(difference) = difference {
            if choice == BackendChoice::Webgpu {
                let why = format!("It computes something else than the CPU: {difference}.");
                let try_this = "With backend=\"auto\" or \"cpu\" the model runs on the CPU.";
                return Err((UserError::new("This GPU cannot be trusted.", why, try_this), false));
            }
            let on_the_cpu = backend::cpu(&format!("the GPU computes something else: {difference}"));
            info = on_the_cpu.1;
            drop(trusted);
            engine = Engine::load(&manifest, weights, tokenizer, &on_the_cpu.0).await.map_err(failed)?;
        }
    }
    post(&Event::Ready { model: engine.info().clone(), backend: info });
    let history = files.history();
    // Nobody waits for the cache, which may be slow.
    let manifest_url = manifest_url.to_owned();
    spawn_local(async move { post(&fetch::keep(&cache, &manifest_url, &json, &files, &arrived).await) });
    Ok((engine, history))
}

/// Asks the gates of earlier moments. The `bool` tells whether the worker must be replaced.
async fn route_then(
    engine: Option<&mut Engine>,
    history: Option<&mut OnDemand>,
    run: RunId,
    text: &str,
) -> Result<GateHistory, (UserError, bool)> {
    let what = "The gates of earlier moments could not be tried.";
    let refused = |why: &str, try_this: &str| (UserError::new(what, why, try_this), false);
    let Some(engine) = engine else {
        return Err(refused("The engine is not ready.", "Wait until the model has been loaded."));
    };
    let Some(history) = history else {
        let why = "This model has no file of the moments of its training.";
        return Err(refused(why, "Of the shipped models default, top2, unbalanced and cosine have one."));
    };
    let paced = Paced::default();
    let bytes = history.get(|progress| paced.post(&progress)).await;
    let bytes = bytes.map_err(|error| {
        let try_this = "Check the connection and ask again; the run on the screen is not affected.".to_owned();
        (UserError { what: what.to_owned(), try_this, ..UserError::from(error) }, false)
    })?;
    engine.route_then(run, text, bytes).await.map_err(|error| (error.error, error.fatal))
}

/// A manifest that cannot be used. What is wrong with a field is for readers; what the reader of JSON says is a detail.
fn described(error: ManifestError) -> UserError {
    let (what, try_this) =
        ("The model's description could not be read.", "Reload the page; the recorded run works without the model.");
    match error {
        ManifestError::Unreadable(error) => {
            UserError::new(what, "manifest.json is not one, or not whole.", try_this).with_details(error)
        }
        error => UserError::new(what, format!("{error}."), try_this),
    }
}

/// After so many milliseconds of steps messages are received: a `Stop` is seen after these and the step that they end in.
const TURN_MS: f64 = 12.0;

async fn run(engine: Option<&mut Engine>, request: &RunRequest, inbox: &Inbox, turns: &Turns) {
    let id = request.run;
    let Some(engine) = engine else {
        let why = "The engine is not ready.";
        let error = UserError::new("The run did not start.", why, "Wait until the model has been loaded.");
        post(&Event::Failed { run: Some(id), error, fatal: false });
        return;
    };
    let mut turned_ms = now_ms();
    let stopped = async || {
        // On the CPU awaits never yield: messages are only received if a macrotask passes, which takes as long as a part
        // of a small model's step. Short steps share one.
        if now_ms() - turned_ms > TURN_MS {
            turns.next().await;
            turned_ms = now_ms();
        }
        inbox.interrupts(id)
    };
    let mut telling = Telling::default();
    match engine.run(request, now_ms, |event| post(&event.shortest(&mut telling)), stopped).await {
        Ok(reason) => post(&Event::Finished { run: id, reason }),
        Err(error) => post(&Event::Failed { run: Some(id), error: error.error, fatal: error.fatal }),
    }
}
