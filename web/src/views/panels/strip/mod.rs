//! The text is the timeline: prompt, playback head, selection and result in one strip.

mod cell;
mod finding;

use moe_trace::Fate;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::run::scene::{Scene, SceneLayer, TokenFate};
use crate::run::shared::Shared;
use crate::run::text::{Part, inline, quoted, visible};
use crate::settings::offered::ControlName;
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::panel::{Depth, Panel, PanelInput, Tab};
use crate::views::parts::glyph::{Mark, legend};
use crate::views::parts::in_sight::keep_in_sight;
use crate::views::parts::table::table;
use crate::views::parts::transport::transport;
use crate::words::names;
use cell::{TokenCell, TokenCellProps};

pub static PANEL: Panel = Panel {
    name: PanelName::Strip,
    kind: "Tokens",
    area: "strip",
    tab: Tab::Always,
    depth: Depth::Story,
    lacks: |_| None,
    topic: |input| format!("Tokens · outcomes in layer {}", input.layer().layer),
    finding: |input| finding::finding(&input.scene),
    badges: |input| if input.controls.offered.has(ControlName::Step) { transport(input) } else { Html::default() },
    picture: |input| {
        let PanelInput { scene, selection, dispatch, .. } = input.clone();
        html! { <><Strip {scene} {selection} {dispatch} />{ legend() }</> }
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
    let scene = &props.scene;
    let list = use_node_ref();
    // The selected token stays in sight, and keeps the focus if the strip has it.
    use_effect_with((props.selection.token, scene.clone()), {
        let list = list.clone();
        move |_| {
            if let Some(list) = list.cast::<HtmlElement>() {
                show_selected(&list);
            }
        }
    });
    let layer = &scene.layers[props.selection.layer];
    let prompt_len = scene.recording.prompt_len();
    let cells = (0..scene.tokens.len()).map(|token| {
        let shown = &scene.tokens[token];
        let requests = layer.of_token(token);
        let fate = layer.fate(token);
        let name = quoted(scene.token_text(token));
        let lost_elsewhere = scene.layers.iter().any(|layer| layer.fate(token) >= TokenFate::LostSome);
        let share_of = |rank: usize| requests.get(rank).and_then(|request| layer.reading().share(request.weight_raw));
        let whole_percent = |rank: usize| share_of(rank).map(|share| (share * 100.0).round() as u8);
        let experts = match requests {
            [] => "–".to_owned(),
            [one] => one.expert.to_string(),
            [one, two] => format!("{}·{}", one.expert, two.expert),
            [one, two, more @ ..] => format!("{}·{}+{}", one.expert, two.expert, more.len()),
        };
        let cell = TokenCellProps {
            token,
            text: visible(&shown.piece.text).into(),
            part: shown.piece.part,
            mark: match fate {
                TokenFate::LostSome => Some(Mark::Lost),
                TokenFate::Dropped => Some(Mark::Dropped),
                _ => None,
            },
            lost_elsewhere,
            first: whole_percent(0).unwrap_or_default(),
            first_is_lost: requests.first().is_some_and(|request| request.fate == Fate::Lost),
            second: whole_percent(1),
            experts: experts.into(),
            label: {
                let continues = if shown.piece.part == Part::Tail { "continues " } else { "" };
                let author = if token >= prompt_len { ", written by the model" } else { "" };
                let elsewhere =
                    if lost_elsewhere && fate <= TokenFate::Served { ", turned away in another layer" } else { "" };
                format!("Token {token}, {continues}{name}, {}{elsewhere}{author}", outcome(layer, token)).into()
            },
            is_written: token >= prompt_len,
            is_selected: token == props.selection.token,
            dispatch: props.dispatch.clone(),
        };
        html! { <TokenCell key={token} ..cell /> }
    });
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="strip" role="listbox" aria-label="Tokens" aria-orientation="horizontal" {dir} ref={list}>
            { for cells }
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let (scene, of_layer) = (&input.scene, input.layer());
    let rows = (0..scene.tokens.len()).map(|token| {
        let asked = of_layer.of_token(token).iter().map(|request| {
            let fate = names::fate(request.fate);
            format!("E{} ({}, {fate})", request.expert, of_layer.reading().short(request.weight_raw))
        });
        let loss = scene.tokens[token].loss.map_or("–".to_owned(), |loss| format!("{loss:.3}"));
        let asked: Vec<String> = asked.collect();
        vec![
            token.to_string(),
            inline(scene.token_text(token)),
            asked.join(", "),
            outcome(of_layer, token).to_owned(),
            loss,
        ]
    });
    let caption = format!("Tokens and their outcomes in layer {}", of_layer.layer);
    table(&caption, &["#", "token", "experts", "outcome", "loss, nats"], rows)
}

/// What became of a token in a layer.
fn outcome(layer: &SceneLayer, token: usize) -> &'static str {
    match layer.fate(token) {
        TokenFate::Served => "served",
        TokenFate::LostSome => "turned away once or more",
        TokenFate::Dropped => "dropped",
        TokenFate::NotRouted if layer.experts_take() => "picked by none",
        TokenFate::NotRouted => "no request",
    }
}

/// The selected token, in sight and with the focus if the strip has it.
fn show_selected(list: &HtmlElement) {
    let Ok(Some(selected)) = list.query_selector("[aria-selected=true]") else { return };
    let Ok(selected) = selected.dyn_into::<HtmlElement>() else { return };
    if list.matches(":focus-within").unwrap_or(false) {
        focus_in_place(&selected);
    }
    keep_in_sight(list, &selected, 48.0);
}
