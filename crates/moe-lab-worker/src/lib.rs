//! The training lab inside a web worker: commands come as messages, a step is a macrotask, events go back.
//!
//! The worker is disposable: after a panic it says `Lost`, and the page starts another.
#![cfg(target_family = "wasm")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic;
use std::rc::Rc;

use moe_lab::{Lab, device};
use moe_mailbox::{Turns, Wake, listen, now_ms, post};
use moe_trace::{TrainCommand, TrainEvent, UserError};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Starts to serve commands. The bootstrap script calls it once, after the module is initialised.
#[wasm_bindgen]
pub fn start() {
    panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let (what, why) = ("The training stopped.", "The lab met a bug of its own.");
        post(&TrainEvent::Lost(UserError::new(what, why, "Start it again, perhaps smaller.").with_details(info)));
    }));
    let inbox = Rc::<RefCell<VecDeque<TrainCommand>>>::default();
    let wake = Wake::default();
    let (on_command, on_wake) = (inbox.clone(), wake.clone());
    listen(move |command| match command {
        Ok(command) => {
            on_command.borrow_mut().push_back(command);
            on_wake.wake();
        }
        Err(error) => post(&TrainEvent::Lost(error)),
    });
    spawn_local(async move {
        let mut lab = Lab::new(device::cpu());
        let turns = Turns::default();
        loop {
            let command = inbox.borrow_mut().pop_front();
            match command {
                Some(command) => lab.obey(command, &mut |event| post(&event)).await,
                None if lab.is_busy() => {
                    lab.advance(&now_ms, &mut |event| post(&event)).await;
                    // Awaits never yield here: messages are only received if a macrotask passes.
                    turns.next().await;
                }
                None => wake.wait().await,
            }
        }
    });
}
