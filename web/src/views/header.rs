//! The top line: name, model, engine and its speed, theme, help.

use std::rc::Rc;

use moe_trace::{BackendInfo, Rung, Source};
use yew::prelude::*;

use crate::state::{Action, Phase, Theme};
use crate::views::chip::Chip;
use crate::wording;

#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    pub phase: Phase,
    pub model: Html,
    pub backend: Option<Rc<BackendInfo>>,
    pub tokens_per_second: Option<f32>,
    /// Where the run on the screen comes from.
    pub shown: Option<Source>,
    pub theme: Theme,
    pub help_open: bool,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let act = |action: Action| {
        let dispatch = props.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let (next_theme, theme_name) = match props.theme {
        Theme::System => (Theme::Light, "auto"),
        Theme::Light => (Theme::Dark, "light"),
        Theme::Dark => (Theme::System, "dark"),
    };
    html! {
        <header class="top">
            <h1 class="wordmark">{ Wordmark::html() }<span>{ "MoE Playground" }</span></h1>
            <div class="chips">
                { props.model.clone() }
                { engine_chip(props) }
                if matches!(props.phase, Phase::Failed(_)) {
                    <button type="button" class="quiet" onclick={act(Action::Retry)}>{ "Retry" }</button>
                }
            </div>
            <div class="furniture">
                <button type="button" class="quiet" title="Colours: as the system has it, light, or dark"
                    onclick={act(Action::SetTheme(next_theme))}>{ format!("Theme: {theme_name}") }</button>
                <button type="button" class="quiet" aria-expanded={props.help_open.to_string()}
                    onclick={act(Action::ToggleHelp)}>{ "Keys" }<kbd>{ "?" }</kbd></button>
            </div>
            { progress(&props.phase) }
        </header>
    }
}

struct Wordmark;

impl Wordmark {
    /// Four doors, one of them closed.
    fn html() -> Html {
        html! {
            <svg class="logo" viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">
                <path class="solid" d="M1 3h5v14H1zM8 3h5v14H8z" />
                <path class="line" d="M15.5 3.5h1.2l.8 2 .8-2h1.2v13h-4z" />
                <path class="half" d="M22 10h5v7h-5z" />
                <path class="line" d="M22.5 3.5h4v13h-4z" />
            </svg>
        }
    }
}

fn engine_chip(props: &HeaderProps) -> Html {
    let (is_live, words) = match (&props.phase, &props.backend) {
        (Phase::Idle | Phase::Running(_), Some(backend)) => {
            let place = match backend.rung {
                Rung::Webgpu => "live on your GPU",
                Rung::Cpu => "live on your CPU",
            };
            (true, place.to_owned())
        }
        (Phase::Loading { loaded_bytes, total_bytes, from_cache }, _) => {
            let from = if *from_cache { "reading from cache" } else { "loading" };
            let words = if loaded_bytes == total_bytes {
                "preparing the engine …".to_owned()
            } else {
                format!("{from} {} of {}", wording::bytes(*loaded_bytes), wording::bytes(*total_bytes))
            };
            (false, words)
        }
        (Phase::Failed(_), _) => {
            let words = match props.shown {
                Some(Source::LiveGpu | Source::LiveCpu) => "earlier run · no engine",
                Some(Source::Recorded | Source::Imported) => "recorded run · no engine",
                None => "no engine",
            };
            (false, words.to_owned())
        }
        (Phase::Recorded, _) => (false, "recorded run".to_owned()),
        _ => (false, "starting the engine …".to_owned()),
    };
    let more = props.backend.as_ref().map(|backend| format!("{}: {}.", backend.name, backend.why));
    html! {
        <Chip class={classes!("engine", is_live.then_some("is-live"))} {more}>
            <i aria-hidden="true" /><b role="status">{ words }</b>
            if let (true, Some(speed)) = (is_live, props.tokens_per_second) {
                <span class="speed">{ format!("{speed:.0} tok/s") }</span>
            }
        </Chip>
    }
}

/// A byte-exact bar along the lower edge; it takes no room.
fn progress(phase: &Phase) -> Html {
    let Phase::Loading { loaded_bytes, total_bytes, .. } = phase else { return Html::default() };
    let share = f64::from(*loaded_bytes) / f64::from((*total_bytes).max(1));
    html! {
        <div class="progress" role="progressbar" aria-label="Loading the model" aria-valuemin="0"
            aria-valuemax={total_bytes.to_string()} aria-valuenow={loaded_bytes.to_string()}>
            <i style={format!("transform:scaleX({share:.4})")} />
        </div>
    }
}
