//! The worker's loop: one command after another, never two at once.

use std::cell::RefCell;
use std::rc::Rc;

use moe_engine::{Counter, Engine};
use moe_mailbox::{Often, Turns, Wake, listen, now_ms, post};
use moe_trace::{BackendChoice, BackendInfo, Command, Event, RunRequest, Rung, Telling, UserError};
use wasm_bindgen_futures::spawn_local;

use crate::fetch::OnDemand;
#[cfg(feature = "gpu")]
use crate::gpu;
use crate::mailbox::Inbox;
use crate::model::{Failure, Model};
use crate::{backend, cache, then};

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
            let num_tokens = on_count.borrow().as_ref().map(|counter| counter.count(&text));
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
        let mut ready: Option<Ready> = None;
        let turns = Turns::default();
        loop {
            match inbox.take() {
                Some(command @ (Command::Load { .. } | Command::Try { .. })) => {
                    // Two models at once would be two copies of weights; and a failed load leaves none.
                    ready = None;
                    match loaded(&command).await {
                        Ok(loaded) => {
                            counter.replace(loaded.as_ref().map(|ready| ready.engine.counter()));
                            ready = loaded;
                        }
                        Err(Failure { error, fatal }) => post(&Event::Failed { run: None, error, fatal }),
                    }
                }
                Some(Command::Run(request)) => {
                    run(ready.as_mut().map(|ready| &mut ready.engine), &request, &inbox, &turns).await;
                }
                Some(Command::RouteThen { run, text }) => {
                    let asked = ready.as_mut().map(|ready| (&mut ready.engine, ready.history.as_mut()));
                    match then::route(asked, run, &text).await {
                        Ok(routed) => post(&Event::RoutedThen(routed)),
                        Err(Failure { error, fatal }) => post(&Event::Failed { run: Some(run), error, fatal }),
                    }
                }
                // The run it meant is over already; and the others were answered on arrival.
                Some(Command::Stop(_) | Command::Count(_) | Command::RemoveKept) => {}
                None => wake.wait().await,
            }
        }
    });
}

/// A model that is ready.
struct Ready {
    engine: Engine,
    /// The moments of its training, where it has them.
    history: Option<OnDemand>,
}

/// The model that a command asks for.
async fn loaded(command: &Command) -> Result<Option<Ready>, Failure> {
    match command {
        Command::Load { manifest_url, backend } => load(manifest_url, *backend).await.map(Some),
        Command::Try { manifest_url } => try_gpu(manifest_url).await,
        _ => Ok(None),
    }
}

/// Fetches a model and makes it ready; on a GPU only if it computes there what it does on the CPU.
async fn load(manifest_url: &str, choice: BackendChoice) -> Result<Ready, Failure> {
    let model = Model::fetch(manifest_url).await?;
    let (engine, backend) = match choice {
        BackendChoice::Webgpu => on_gpu(&model).await?,
        _ => {
            let (arithmetic, info) = backend::cpu(choice);
            (model.engine(&arithmetic).await?, info)
        }
    };
    post(&Event::Ready { model: engine.info().clone(), backend });
    let history = model.history();
    model.keep();
    if choice == BackendChoice::Auto && backend::webgpu().is_ok() {
        // Meanwhile the CPU runs.
        spawn_local(async {
            post(&match backend::adapter().await {
                Ok(()) => Event::Offered { rung: Rung::Webgpu },
                Err(why) => Event::Declined { why: backend::for_the_cpu(&why) },
            });
        });
    }
    Ok(Ready { engine, history })
}

#[cfg(feature = "gpu")]
async fn on_gpu(model: &Model) -> Result<(Engine, BackendInfo), Failure> {
    gpu::asked_for(model).await
}

/// Makes a model ready on the GPU if it does well there; what came of it is told.
#[cfg(feature = "gpu")]
async fn try_gpu(manifest_url: &str) -> Result<Option<Ready>, Failure> {
    let model = Model::fetch(manifest_url).await?;
    Ok(match gpu::tried(&model).await? {
        Ok((engine, backend)) => {
            post(&Event::Ready { model: engine.info().clone(), backend });
            Some(Ready { engine, history: model.history() })
        }
        Err(why) => {
            post(&Event::Declined { why: backend::for_the_cpu(&why) });
            None
        }
    })
}

/// The worker's bootstrap loads the other module for these.
#[cfg(not(feature = "gpu"))]
fn has_no_gpu() -> Failure {
    let why = "This engine was built for the CPU alone.";
    Failure::lasting(UserError::new("WebGPU is not available.", why, "Choose backend=\"auto\" or \"cpu\"."))
}

#[cfg(not(feature = "gpu"))]
async fn on_gpu(_: &Model) -> Result<(Engine, BackendInfo), Failure> {
    Err(has_no_gpu())
}

#[cfg(not(feature = "gpu"))]
async fn try_gpu(_: &str) -> Result<Option<Ready>, Failure> {
    Err(has_no_gpu())
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
    let (mut telling, mut steps) = (Telling::default(), Often::default());
    let ran = engine.run(request, now_ms, |event| steps.say(&event.shortest(&mut telling)), stopped).await;
    steps.send();
    match ran {
        Ok(reason) => post(&Event::Finished { run: id, reason }),
        Err(error) => post(&Event::Failed { run: Some(id), error: error.error, fatal: error.fatal }),
    }
}
