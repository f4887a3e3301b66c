//! The whole page as a function of the state: the shell, and the panels that the element's `view` asks for.

use yew::prelude::*;

use crate::run::shared::Shared;
use crate::run::text::quoted;
use crate::settings::view::{PanelName, View};
use crate::state::{Action, State};
use crate::views::frame::Frame;
use crate::views::panel::{Depth, Panel, PanelInput};
use crate::views::panels;
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::in_sight::bring_before;
use crate::views::parts::spoken::spoken_token;
use crate::views::shell::figure::{figure_bar, figure_foot};
use crate::views::shell::help::help;
use crate::views::shell::notice::notice;
#[cfg(feature = "page")]
use crate::views::shell::{lesson::lesson_bar, whole};
#[cfg(feature = "page")]
use crate::words::lesson::COVERED;
use crate::words::tongue::{self, Language};

#[derive(Properties, PartialEq)]
pub struct PageProps {
    pub state: Shared<State>,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Page(props: &PageProps) -> Html {
    let (state, dispatch) = (&*props.state, &props.dispatch);
    let (screen, language) = (state.screen(), state.speech().spoken());
    tongue::speak(language);
    let is_whole = state.config().view == View::Full;
    let class = match screen.depth {
        _ if !is_whole => Some("is-figure"),
        Depth::Story => Some("at-story"),
        Depth::Inspect => None,
        Depth::Lab => Some("at-lab"),
    };
    let (head, foot) = around(state, dispatch);
    let (root, coming) = (use_node_ref(), use_mut_ref(|| None));
    let open = use_callback((dispatch.clone(), root.clone()), move |panel: PanelName, (dispatch, root)| {
        dispatch.emit(Action::SetTab(panels::tab_of(panel)));
        // Its tab has to come to the front first.
        *coming.borrow_mut() = root.cast().map(|root| bring_before(root, format!(".panel-{}", panel.as_str())));
    });
    html! {
        <ContextProvider<Language> context={language}>
        // Its language is its own, whatever the page around it is; and a translator of pages would replace texts that
        // change a moment later.
        <div class="moe notranslate" ref={root} data-theme={screen.theme.name()} dir={language.direction()}
            lang={language.tag()} translate="no">
            { above(state, dispatch) }
            <div class={classes!("page", class)}>
                { head }
                // A list of its own: with another depth there are more of them, and the head keeps its focus.
                <>{ for frames(state, dispatch, &open) }</>
                { foot }
                // It stays at the lower edge of the window and takes no room.
                <div class="overlay">
                    { notice(state, dispatch) }
                    if screen.help_open {
                        { help(state.config().no_letter_keys, dispatch) }
                    }
                </div>
                { spoken(state, dispatch) }
            </div>
        </div>
        </ContextProvider<Language>>
    }
}

/// Above all of it, figure or page: the lesson that is open.
#[cfg(feature = "page")]
fn above(state: &State, dispatch: &Callback<Action>) -> Html {
    lesson_bar(state, dispatch)
}
#[cfg(not(feature = "page"))]
fn above(_: &State, _: &Callback<Action>) -> Html {
    Html::default()
}

/// Why nothing of a run may be seen or heard now, although it is there.
#[cfg(feature = "page")]
fn covered(state: &State) -> Option<&'static str> {
    state.is_guessing().then_some(COVERED)
}
#[cfg(not(feature = "page"))]
fn covered(_: &State) -> Option<&'static str> {
    None
}

/// What stands above the panels, and what below.
fn around(state: &State, dispatch: &Callback<Action>) -> (Html, Html) {
    match state.config().view {
        #[cfg(feature = "page")]
        View::Full => {
            let (tab, depth) = (state.screen().tab, state.screen().depth);
            let head = whole::head(state, panels::shown(&View::Full, depth), dispatch);
            (head, whole::foot(state, &panels::tabs(depth), panels::front(tab, depth), dispatch))
        }
        _ => (Html::default(), html! { <>{ figure_bar(state, dispatch) }{ figure_foot(state) }</> }),
    }
}

/// The panels in their places. The places are there before the first step: nothing moves when it arrives.
fn frames(state: &State, dispatch: &Callback<Action>, open: &Callback<PanelName>) -> Vec<Html> {
    let covered = covered(state);
    let input = PanelInput::of(state, dispatch, open).filter(|_| covered.is_none());
    let waiting = if state.engine().can_run() {
        marked!("Waiting for the first run")
    } else {
        marked!("There is no run to show")
    };
    let waiting = covered.unwrap_or(waiting);
    let (view, depth) = (&state.config().view, state.screen().depth);
    let front = panels::front(state.screen().tab, depth);
    let frame = |panel: &'static Panel| {
        let input = input.as_ref().map(|input| input.seen_by(panel.sees));
        let is_behind = *view == View::Full && !panel.is_in_front(front);
        html! { <Frame key={panel.name.as_str()} {panel} {is_behind} {input} {waiting} /> }
    };
    panels::shown(view, depth).map(frame).collect()
}

/// For screen readers, once nothing moves any more: the selected token; and of a live run that has ended what the model
/// wrote, who was turned away, and what that cost.
fn spoken(state: &State, dispatch: &Callback<Action>) -> Html {
    let is_calm = !state.playback().playing && !state.is_running() && covered(state).is_none();
    let input = PanelInput::of(state, dispatch, &Callback::noop()).filter(|_| is_calm);
    let token = input.as_ref().map(|input| spoken_token(&input.scene, input.layer(), input.selection.token));
    let is_at_end = |input: &&PanelInput| input.finished.is_some() && input.scene.step + 1 == input.num_steps;
    let run = input.as_ref().filter(is_at_end).filter(|input| input.scene.recording.is_live()).map(|input| {
        let written: String =
            input.scene.tokens[input.scene.recording.prompt_len()..].iter().map(|token| &*token.piece.text).collect();
        let findings = [PanelName::Strip, PanelName::Loss].map(panels::of);
        let findings = findings.into_iter().filter(|panel| (panel.lacks)(input).is_none());
        let findings: String =
            findings.map(|panel| format!(" {}", say!("{finding}.", finding = (panel.finding)(input)))).collect();
        format!("{}{findings}", say!("The model wrote {text}.", text = quoted(&written)))
    });
    html! { <><AtRest words={token.unwrap_or_default()} /><AtRest words={run.unwrap_or_default()} /></> }
}
