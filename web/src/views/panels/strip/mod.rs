//! The text is the timeline: prompt, playback head, selection and result in one strip.

mod cell;
mod finding;

use std::borrow::Cow;

use moe_trace::Fate;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::browser::timers::Frame;
use crate::run::scene::{Scene, SceneLayer, TokenFate};
use crate::run::shared::Shared;
use crate::run::text::inline;
use crate::settings::offered::ControlName;
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::glyph::legend_and;
use crate::views::parts::in_sight::keep_in_sight;
use crate::views::parts::section::row;
use crate::views::parts::speaking::use_tongue;
use crate::views::parts::table::{Cell, table};
use crate::views::parts::transport::transport;
use crate::words::names;
use cell::TokenCell;

pub static PANEL: Panel = Panel {
    name: PanelName::Strip,
    kind: marked!("Tokens"),
    area: "strip",
    tab: Tab::Always,
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |input| say!("Tokens · outcomes in layer {layer}", layer = input.layer().layer),
    finding: |input| finding::finding(&input.scene),
    badges: |input| if input.controls.offered.has(ControlName::Step) { transport(input) } else { Html::default() },
    picture: |input| {
        let PanelInput { scene, selection, dispatch, .. } = input.clone();
        let dot = has_dots(input).then(|| {
            html! { <li class="of-dot"><i class="elsewhere" />{ say!("in another layer") }</li> }
        });
        html! { <><Strip {scene} {selection} {dispatch} />{ legend_and(dot.unwrap_or_default()) }</> }
    },
    table: Some(as_table),
};

#[derive(Properties, PartialEq)]
struct StripProps {
    pub scene: Shared<Scene>,
    pub selection: Selection,
    pub dispatch: Callback<Action>,
}

#[component]
fn Strip(props: &StripProps) -> Html {
    use_tongue();
    let scene = &props.scene;
    let list = use_node_ref();
    // The selected token stays in sight, and keeps the focus if the strip has it.
    use_effect_with((props.selection.token, scene.clone()), {
        let list = list.clone();
        move |&(token, _)| {
            let scrolled = list.cast::<HtmlElement>().and_then(|list| show_selected(&list, token));
            move || drop(scrolled)
        }
    });
    let layer = &scene.layers[props.selection.layer];
    let prompt_len = scene.recording.prompt_len();
    let cells = (0..scene.tokens.len()).map(|token| {
        let requests = layer.of_token(token);
        let share_of = |rank: usize| requests.get(rank).and_then(|request| layer.reading().share(request.weight_raw));
        let whole_percent = |rank: usize| share_of(rank).map(|share| (share * 100.0).round() as u8);
        TokenCell {
            token,
            piece: scene.tokens[token].piece.clone(),
            name: scene.token_name(token),
            fate: layer.fate(token),
            outcome: outcome(layer, token),
            lost_elsewhere: is_lost_somewhere(scene, token),
            first: whole_percent(0).unwrap_or_default(),
            first_is_lost: requests.first().is_some_and(|request| request.fate == Fate::Lost),
            second: whole_percent(1),
            experts: [0, 1].map(|rank| requests.get(rank).map(|request| request.expert)),
            num_requests: requests.len(),
            is_written: token >= prompt_len,
            is_selected: token == props.selection.token,
        }
    });
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="strip" role="listbox" aria-label={say!("Tokens")} aria-orientation="horizontal" {dir} ref={list}>
            { row(cells, &props.dispatch) }
        </div>
    }
}

/// Has a token a dot, since it was turned away, though not in this layer?
fn has_dots(input: &PanelInput) -> bool {
    let (scene, layer) = (&input.scene, input.layer());
    (0..scene.tokens.len()).any(|token| layer.fate(token) <= TokenFate::Served && is_lost_somewhere(scene, token))
}

fn is_lost_somewhere(scene: &Scene, token: usize) -> bool {
    scene.layers.iter().any(|layer| layer.fate(token) >= TokenFate::LostSome)
}

fn as_table(input: &PanelInput) -> Html {
    let (scene, of_layer) = (&input.scene, input.layer());
    let rows = (0..scene.tokens.len()).map(|token| {
        let asked = of_layer.of_token(token).iter().map(|request| {
            let fate = names::fate(request.fate);
            let sure = of_layer.reading().short(request.weight_raw);
            say!("E{expert} ({sure}, {fate})", expert = request.expert, sure, fate)
        });
        let loss = scene.tokens[token].loss.map_or("–".to_owned(), |loss| format!("{loss:.3}"));
        let asked: Vec<String> = asked.collect();
        vec![
            token.to_string().into(),
            Cell::Text(inline(scene.token_text(token))),
            asked.join(&say!(", ")).into(),
            outcome(of_layer, token).into_owned().into(),
            loss.into(),
        ]
    });
    let caption = say!("Tokens and their outcomes in layer {layer}", layer = of_layer.layer);
    let head = [say!("token"), say!("experts"), say!("outcome"), say!("loss, nats")];
    table(&caption, &["#", &head[0], &head[1], &head[2], &head[3]], rows)
}

/// What became of a token in a layer.
fn outcome(layer: &SceneLayer, token: usize) -> Cow<'static, str> {
    match layer.fate(token) {
        TokenFate::Served => say!("served"),
        TokenFate::LostSome => say!("turned away once or more"),
        TokenFate::Dropped => say!("dropped"),
        TokenFate::NotRouted if layer.experts_take() => say!("picked by none"),
        TokenFate::NotRouted => say!("no request"),
    }
}

/// The selected token, with the focus if the strip has it, and soon in sight.
fn show_selected(list: &HtmlElement, token: usize) -> Option<Frame> {
    let selected: HtmlElement = list.children().item(token as u32)?.dyn_into().ok()?;
    if list.matches(":focus-within").unwrap_or(false) {
        focus_in_place(&selected);
    }
    Some(keep_in_sight(list, &selected, 48.0))
}
