//! The one stateful component: actions change the state, the state asks for effects, the world reports back.

use std::cell::RefCell;

use moe_trace::UserError;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};
use yew::html::Scope;
use yew::prelude::*;

use crate::browser::panics;
use crate::browser::timers::Frame;
use crate::effects::{Effects, Host, Report};
use crate::page::dom::{self, Keys};
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::attributes::Config;
use crate::state::{Action, Effect, State, keyboard};
use crate::views::page::Page;

/// Through it the handle sees the run on the screen.
pub type TraceWindow = Shared<RefCell<Option<Shared<Recording>>>>;

/// Through it the handle sees what stands on the screen, as a plain object of attributes.
pub type ShownWindow = Shared<RefCell<JsValue>>;

/// Messages to the page that plays. They wait until it is there.
#[derive(Default)]
pub struct Line {
    page: Option<Scope<App>>,
    waiting: Vec<Msg>,
}

impl Line {
    pub fn send(&mut self, msg: Msg) {
        match &self.page {
            Some(page) => page.send_message(msg),
            None => self.waiting.push(msg),
        }
    }

    fn connect(&mut self, page: &Scope<App>) {
        self.page = Some(page.clone());
        page.send_message_batch(std::mem::take(&mut self.waiting));
    }
}

#[derive(Properties, Clone, PartialEq)]
pub struct AppProps {
    pub host: HtmlElement,
    /// The element that was mounted into; its other children are a poster.
    pub root: Element,
    pub trace: TraceWindow,
    pub shown: ShownWindow,
    pub line: Shared<RefCell<Line>>,
    pub config: Config,
    pub errors: Vec<UserError>,
}

pub enum Msg {
    Act(Action),
    Reported(Report),
    /// A key of the keyboard map was pressed.
    Key(String),
    /// A frame is about to be drawn.
    Draw,
}

pub struct App {
    state: Shared<State>,
    effects: Effects,
    /// What is to be done first, once the document exists.
    first: Vec<Effect>,
    dispatch: Callback<Action>,
    keys: Option<Keys>,
    is_revealed: bool,
    /// The next frame, if something changed that is to be drawn in it.
    frame: Option<Frame>,
    /// What `moe-statechange` last said.
    shown: Vec<(&'static str, String)>,
}

impl Component for App {
    type Message = Msg;
    type Properties = AppProps;

    fn create(ctx: &Context<App>) -> App {
        let AppProps { host, config, errors, line, .. } = ctx.props();
        line.borrow_mut().connect(ctx.link());
        let (state, first) = State::new(config.clone(), errors.clone());
        App {
            state: Shared::new(state),
            effects: Effects::new(host.clone(), ctx.link().callback(Msg::Reported)),
            first,
            dispatch: ctx.link().callback(Msg::Act),
            keys: None,
            is_revealed: false,
            frame: None,
            shown: Vec::new(),
        }
    }

    fn view(&self, _ctx: &Context<App>) -> Html {
        html! { <Page state={self.state.clone()} dispatch={self.dispatch.clone()} /> }
    }

    fn rendered(&mut self, ctx: &Context<App>, first: bool) {
        let AppProps { host, root, .. } = ctx.props();
        if first {
            let link = ctx.link().clone();
            self.keys = Keys::listen(host.clone(), move |key| link.send_message(Msg::Key(key)));
            let first = std::mem::take(&mut self.first);
            self.carry_out(first);
        }
        dom::rove_focus(root);
        // The poster goes once there is something better, a picture or at least an engine, and not before: a notice
        // stands beside it.
        if !self.is_revealed && (self.state.scene().is_some() || self.state.engine().is_ready()) {
            self.is_revealed = true;
            dom::reveal(root);
        } else if !self.is_revealed {
            dom::show_notice(root, self.state.notice().is_some());
        }
    }

    /// What the reader does is drawn at once. What the world reports is taken up at once and drawn with the next frame,
    /// however much of it comes until then.
    fn update(&mut self, ctx: &Context<App>, msg: Msg) -> bool {
        if panics::is_over() {
            // The element shows something else by now.
            return false;
        }
        match msg {
            Msg::Act(action) => self.act(ctx, action),
            Msg::Reported(report) => {
                let action = self.effects.receive(report);
                if action.is_some_and(|action| self.act(ctx, action)) && self.frame.is_none() {
                    let link = ctx.link().clone();
                    self.frame = Some(Frame::new(move || link.send_message(Msg::Draw)));
                }
                false
            }
            Msg::Draw => self.frame.take().is_some(),
            Msg::Key(key) => {
                let right_to_left = self.state.scene().is_some_and(|scene| scene.is_right_to_left);
                match keyboard::command(&key, right_to_left) {
                    None => false,
                    Some(keyboard::Command::FocusCapacity) => {
                        dom::focus_first(&ctx.props().root, "[data-capacity]");
                        false
                    }
                    Some(keyboard::Command::CopyLink) => {
                        dom::ask(&ctx.props().root, "moe-copy-link");
                        false
                    }
                    Some(keyboard::Command::Act(action)) => self.act(ctx, action),
                }
            }
        }
    }
}

impl App {
    fn act(&mut self, ctx: &Context<App>, action: Action) -> bool {
        let before = self.state.clone();
        let (state, effects) = before.apply(action);
        self.state = Shared::new(state);
        // Before the effects: a listener may call `getTrace()` synchronously.
        *ctx.props().trace.borrow_mut() = self.state.on_screen().cloned();
        self.tell_shown(ctx);
        self.carry_out(effects);
        *before != *self.state
    }

    /// Tells the page around the element what stands on the screen, whenever that is something else than before.
    fn tell_shown(&mut self, ctx: &Context<App>) {
        if self.state.scene().is_none() {
            return;
        }
        let attributes = self.state.shown(&self.state.trained_routing()).attributes();
        if self.shown != attributes {
            let plain = Host::plain(&attributes);
            *ctx.props().shown.borrow_mut() = plain.clone();
            self.shown = attributes;
            self.effects.host().emit_state(&plain);
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effects.carry_out(effect, &self.state);
        }
        self.effects.follow(&self.state);
    }
}
