//! The one stateful component: it holds the state, carries out effects, and hands the rest to pure views.

use std::cell::RefCell;

use moe_trace::{Command, Event, UserError};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::browser::engine_client::{EngineClient, Heard};
use crate::browser::timers::{Interval, Timeout};
use crate::browser::{address, wire};
use crate::effects::{models, replay};
use crate::page::dom;
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::attributes::Config;
use crate::state::keyboard;
use crate::state::{Action, Effect, Phase, State, Theme, effects};
use crate::views::page::Page;

/// A run is started only when the controls have rested for this long.
const RERUN_AFTER_MS: i32 = 160;
/// An engine that is ready waits no longer than this for the recorded run whose settings it is to take.
const REPLAY_PATIENCE_MS: i32 = 4_000;
/// Pace of the playback at speed 1.
const MS_PER_STEP: f32 = 600.0;

/// Through it the handle sees the run on the screen.
pub type TraceWindow = Shared<RefCell<Option<Shared<Recording>>>>;

#[derive(Properties, PartialEq)]
pub struct AppProps {
    pub host: HtmlElement,
    /// The element that was mounted into; its other children are a poster.
    pub root: Element,
    pub trace: TraceWindow,
    pub config: Config,
    pub errors: Vec<UserError>,
}

pub enum Msg {
    Act(Action),
    /// From the worker of this number; an earlier worker's words are not heard any more.
    Heard {
        worker: u32,
        heard: Heard,
    },
    /// From the recorded run of this number: an action, and for a step its plain object.
    Replayed {
        replay: u32,
        action: Action,
        plain: Option<JsValue>,
    },
    /// A key of the keyboard map was pressed.
    Key(String),
}

pub struct App {
    state: Shared<State>,
    dispatch: Callback<Action>,
    engine: Option<EngineClient>,
    num_workers: u32,
    num_replays: u32,
    /// Has the list of models been asked for?
    asked_for_menu: bool,
    rerun: Option<Timeout>,
    patience: Option<Timeout>,
    player: Option<(f32, Interval)>,
    is_revealed: bool,
    on_key: Option<Closure<dyn FnMut(KeyboardEvent)>>,
}

impl Component for App {
    type Message = Msg;
    type Properties = AppProps;

    fn create(ctx: &Context<App>) -> App {
        let props = ctx.props();
        App {
            state: Shared::new(State::new(props.config.clone(), props.errors.clone())),
            dispatch: ctx.link().callback(Msg::Act),
            engine: None,
            num_workers: 0,
            num_replays: 0,
            asked_for_menu: false,
            rerun: None,
            patience: None,
            player: None,
            is_revealed: false,
            on_key: None,
        }
    }

    fn view(&self, _ctx: &Context<App>) -> Html {
        html! { <Page state={self.state.clone()} dispatch={self.dispatch.clone()} /> }
    }

    fn rendered(&mut self, ctx: &Context<App>, first: bool) {
        if first {
            self.begin(ctx);
        }
        dom::rove_focus(&ctx.props().root);
        // The poster goes when there is something better, or when there will not be.
        let waits = self.state.scene.is_none() && self.state.notice.is_none();
        if !self.is_revealed && !waits {
            self.is_revealed = true;
            dom::reveal(&ctx.props().root);
        }
    }

    fn update(&mut self, ctx: &Context<App>, msg: Msg) -> bool {
        match msg {
            Msg::Act(action) => self.act(ctx, action),
            Msg::Heard { worker, .. } if worker != self.num_workers => false,
            Msg::Heard { heard: Heard::Lost { why }, .. } => self.act(ctx, Action::EngineLost { why }),
            Msg::Heard { heard: Heard::Event(event, plain), .. } => {
                let is_step = matches!(event, Event::Step { .. });
                self.tell_step(ctx, Action::Engine(event), is_step.then_some(plain))
            }
            Msg::Replayed { replay, .. } if replay != self.num_replays => false,
            Msg::Replayed { action, plain, .. } => self.tell_step(ctx, action, plain),
            Msg::Key(key) => self.key(ctx, &key),
        }
    }

    fn destroy(&mut self, _ctx: &Context<App>) {
        if let Some(closure) = self.on_key.take()
            && let Some(document) = web_sys::window().and_then(|window| window.document())
        {
            // A listener that is not there needs no removing.
            let _ = document.remove_event_listener_with_callback("keydown", closure.as_ref().unchecked_ref());
        }
    }
}

impl App {
    /// The document exists now: listen to keys, fetch the recorded run, start the engine, report bad attributes.
    fn begin(&mut self, ctx: &Context<App>) {
        let on_key = Closure::new({
            let link = ctx.link().clone();
            let host = ctx.props().host.clone();
            move |event: KeyboardEvent| {
                if let Some(key) = dom::take_key(&host, &event) {
                    link.send_message(Msg::Key(key));
                }
            }
        });
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            // Without it only the keyboard map is missing; the controls keep working.
            let _ = document.add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
        }
        self.on_key = Some(on_key);

        self.carry_out(ctx, Effect::FetchReplay);
        if self.state.phase == Phase::Starting {
            self.carry_out(ctx, Effect::StartEngine);
        }
        for error in &ctx.props().errors {
            self.carry_out(ctx, Effect::EmitError(error.clone()));
        }
    }

    fn act(&mut self, ctx: &Context<App>, action: Action) -> bool {
        let before = self.state.clone();
        self.state = Shared::new(before.apply(action));
        let state = self.state.clone();
        // First: whoever hears of a change may ask for the run at once.
        *ctx.props().trace.borrow_mut() = state.on_screen().cloned();
        for effect in effects(&before, &state) {
            self.carry_out(ctx, effect);
        }
        if let Some(engine) = &self.engine {
            engine.expect(matches!(state.phase, Phase::Starting | Phase::Loading { .. } | Phase::Running(_)));
        }
        self.keep_time(ctx);
        if before.chrome.theme != state.chrome.theme {
            let theme = match state.chrome.theme {
                Theme::System => "system",
                Theme::Light => "light",
                Theme::Dark => "dark",
            };
            // Only the page around the element could miss it.
            let _ = ctx.props().host.set_attribute("data-theme", theme);
        }
        *before != *state
    }

    fn carry_out(&mut self, ctx: &Context<App>, effect: Effect) {
        match effect {
            Effect::StartEngine => {
                self.start_engine(ctx);
                self.fetch_menu();
            }
            Effect::SetModel(model) => {
                // The choice counts already; only the page around the element could miss it.
                let _ = ctx.props().host.set_attribute("model", &model);
            }
            Effect::EndEngine => self.engine = None,
            Effect::FetchReplay => {
                self.num_replays += 1;
                let (link, replay) = (ctx.link().clone(), self.num_replays);
                let url = self.address(self.state.config.trace_url.as_deref(), "../traces/default.jsonl");
                wasm_bindgen_futures::spawn_local(replay::replay(url, move |action, plain| {
                    link.send_message(Msg::Replayed { replay, action, plain });
                }));
            }
            Effect::AwaitReplay => {
                let dispatch = self.dispatch.clone();
                self.patience = Some(Timeout::new(REPLAY_PATIENCE_MS, move || dispatch.emit(Action::ReplayIsLate)));
            }
            Effect::Post(command) => {
                if let Some(engine) = &self.engine {
                    engine.post(&command);
                }
            }
            Effect::ScheduleRerun { ticket } => {
                let dispatch = self.dispatch.clone();
                self.rerun = Some(Timeout::new(RERUN_AFTER_MS, move || dispatch.emit(Action::Rerun { ticket })));
            }
            Effect::EmitReady { source, model, backend } => {
                let detail = ReadyDetail { source, model, backend };
                dom::emit(&ctx.props().host, "moe-ready", &wire::to_js(&detail).unwrap_or_default());
            }
            Effect::EmitError(error) => {
                dom::emit(&ctx.props().host, "moe-error", &wire::to_js(&error).unwrap_or_default());
            }
        }
    }

    fn start_engine(&mut self, ctx: &Context<App>) {
        self.engine = None;
        self.num_workers += 1;
        let worker = self.num_workers;
        let link = ctx.link().clone();
        let hear = move |heard| link.send_message(Msg::Heard { worker, heard });
        match EngineClient::start(&self.address(self.state.config.worker_url.as_deref(), "worker.js"), hear) {
            Ok(engine) => {
                let manifest_url = self.state.config.manifest_url.clone();
                engine.post(&Command::Load { manifest_url, backend: self.state.backend_to_load() });
                self.engine = Some(engine);
            }
            Err(why) => self.dispatch.emit(Action::EngineLost { why }),
        }
    }

    /// Once, and only where a model can be loaded.
    fn fetch_menu(&mut self) {
        if std::mem::replace(&mut self.asked_for_menu, true) {
            return;
        }
        let url = address::beside_assets(self.state.config.base_url.as_deref(), "../models/index.json");
        let dispatch = self.dispatch.clone();
        wasm_bindgen_futures::spawn_local(models::menu(url, move |menu| dispatch.emit(Action::MenuRead(menu))));
    }

    /// A step that the reducer took up is told to the world as the plain object it came as, or made whole where it told
    /// only what changed.
    fn tell_step(&mut self, ctx: &Context<App>, action: Action, plain: Option<JsValue>) -> bool {
        let before = self.state.clone();
        let changed = self.act(ctx, action);
        if let Some(plain) = plain
            && (before.shown != self.state.shown || before.previous != self.state.previous)
        {
            let is_delta = js_sys::Reflect::has(&plain, &"input_start_position".into()).unwrap_or(false);
            let run = js_sys::Reflect::get(&plain, &"run".into()).ok().and_then(|run| run.as_f64());
            let held = [&self.state.shown, &self.state.previous].into_iter().flatten();
            let mut of_run = held.filter(|held| Some(f64::from(held.run().0)) == run);
            let whole = of_run.next().and_then(|held| held.steps.last()).filter(|_| is_delta);
            let plain = whole.and_then(|step| wire::to_js(&**step).ok()).unwrap_or(plain);
            dom::emit(&ctx.props().host, "moe-step", &plain);
        }
        changed
    }

    fn keep_time(&mut self, ctx: &Context<App>) {
        let playback = self.state.playback;
        match (&self.player, playback.playing) {
            (Some((speed, _)), true) if *speed == playback.speed => {}
            (_, true) => {
                let dispatch = ctx.link().callback(Msg::Act);
                let every_ms = (MS_PER_STEP / playback.speed) as i32;
                self.player = Some((playback.speed, Interval::new(every_ms, move || dispatch.emit(Action::Tick))));
            }
            (_, false) => self.player = None,
        }
    }

    fn key(&mut self, ctx: &Context<App>, key: &str) -> bool {
        let right_to_left = self.state.scene.as_ref().is_some_and(|scene| scene.is_right_to_left);
        match keyboard::command(key, right_to_left) {
            None => false,
            Some(keyboard::Command::FocusCapacity) => {
                dom::focus_first(&ctx.props().root, "[data-capacity]");
                false
            }
            Some(keyboard::Command::Act(action)) => self.act(ctx, action),
        }
    }

    /// An address of the configuration, or a default beside the assets.
    fn address(&self, given: Option<&str>, default: &str) -> String {
        match given {
            Some(given) => address::resolve(given, &address::document_base()),
            None => address::beside_assets(self.state.config.base_url.as_deref(), default),
        }
    }
}

/// What `moe-ready` tells.
#[derive(serde::Serialize)]
struct ReadyDetail {
    source: moe_trace::Source,
    model: Option<moe_trace::ModelInfo>,
    backend: Option<moe_trace::BackendInfo>,
}
