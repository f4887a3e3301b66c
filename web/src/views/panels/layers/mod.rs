//! Layers × tokens: where in the model and where in the text. A click selects both.

mod finding;
mod stripe;

use moe_trace::Fate;
use yew::prelude::*;

use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::text::{inline, visible};
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::panel::{Depth, Panel, PanelInput, Tab};
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::sized::at_pixel;
use crate::views::parts::spoken::spoken_token;
use crate::views::parts::table::table;
use crate::words::names;
use stripe::{COLUMN, MatrixStripe, row_height};

pub static PANEL: Panel = Panel {
    name: PanelName::Layers,
    kind: "Layers × tokens",
    area: "layers",
    tab: Tab::Own("Layers"),
    depth: Depth::Inspect,
    lacks: |_| None,
    topic: |_| PANEL.kind.to_owned(),
    finding: |input| finding::finding(&input.scene),
    badges: |_| Html::default(),
    picture: |input| {
        let PanelInput { scene, selection, tab, dispatch, .. } = input.clone();
        html! { <Matrix {scene} {selection} {tab} {dispatch} /> }
    },
    table: Some(as_table),
};

#[derive(Properties, PartialEq)]
struct MatrixProps {
    pub scene: Shared<Scene>,
    pub selection: Selection,
    /// A view behind another tab cannot scroll; it does when it comes to the front.
    pub tab: PanelName,
    pub dispatch: Callback<Action>,
}

#[component]
fn Matrix(props: &MatrixProps) -> Html {
    let scene = &props.scene;
    let frame = use_node_ref();
    use_effect_with((props.selection.token, props.tab, scene.clone()), {
        let frame = frame.clone();
        move |&(token, ..)| {
            if let Some(frame) = frame.cast::<web_sys::Element>() {
                let (left, width) = (frame.scroll_left(), frame.client_width() - 44);
                let column = (token * COLUMN) as i32;
                if column < left || column + COLUMN as i32 > left + width {
                    frame.set_scroll_left(column - width / 2);
                }
            }
        }
    });
    let words = scene.tokens.iter().enumerate().map(|(token, shown)| {
        let class = (token == props.selection.token).then_some("is-selected");
        html! { <span key={token} {class} dir="auto">{ visible(&shown.piece.text) }</span> }
    });
    html! {
        <div class="matrix" ref={frame}>
            <div class="matrix-words" aria-hidden="true">{ for words }</div>
            { for (0..scene.layers.len()).map(|layer| stripe(props, layer)) }
            <svg class="matrix-column" width={(scene.tokens.len() * COLUMN).to_string()} height="100%" aria-hidden="true">
                <rect x={(props.selection.token * COLUMN).to_string()} width={(COLUMN - 1).to_string()} height="100%" />
            </svg>
        </div>
    }
}

/// A layer's stripe, what one can point at in it, and the one cell that takes the focus.
fn stripe(props: &MatrixProps, layer: usize) -> Html {
    let scene = &props.scene;
    let of_layer = &scene.layers[layer];
    let row = row_height(of_layer.num_experts);
    let onclick = {
        let (dispatch, num_tokens) = (props.dispatch.clone(), scene.tokens.len());
        Callback::from(move |event: MouseEvent| {
            let token = (event.offset_x().max(0) as usize / COLUMN).min(num_tokens.saturating_sub(1));
            let expert = Some(event.offset_y().max(0) as usize / row);
            dispatch.emit(Action::Select { token, layer: Some(layer), expert });
        })
    };
    let choose = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectLayer(layer)))
    };
    let is_selected = layer == props.selection.layer;
    let token = props.selection.token;
    let lost = of_layer.totals().lost;
    html! {
        <div key={layer} class={classes!("matrix-layer", is_selected.then_some("is-selected"))}>
            <button type="button" class="layer-name" data-grid="layers" tabindex={if is_selected { "0" } else { "-1" }}
                onclick={choose} aria-pressed={is_selected.to_string()} title={experts_title(of_layer)}>
                <b>{ format!("L{}", of_layer.layer) }</b>
                if lost > 0 {
                    <small>{ glyph(Mark::Lost) }{ lost }<span class="hidden">{ " turned away" }</span></small>
                }
            </button>
            <div class="matrix-field" {onclick}>
                <MatrixStripe scene={scene.clone()} {layer} />
                if is_selected {
                    { at_pixel(token * COLUMN, html! {
                        <button type="button" class="matrix-cell" data-view="cell" tabindex="0"
                            aria-label={spoken_token(scene, of_layer, token)} />
                    }) }
                }
            </div>
        </div>
    }
}

fn experts_title(layer: &SceneLayer) -> String {
    match layer.num_experts {
        1 => format!("Layer {}, its only expert", layer.layer),
        num_experts => format!("Layer {}, experts 0 to {} downwards", layer.layer, num_experts.saturating_sub(1)),
    }
}

fn as_table(input: &PanelInput) -> Html {
    let scene = &input.scene;
    let mut head = vec!["#".to_owned(), "token".to_owned()];
    head.extend(scene.layers.iter().map(|layer| format!("layer {}", layer.layer)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = (0..scene.tokens.len()).map(|token| {
        let mut cells = vec![token.to_string(), inline(scene.token_text(token))];
        for layer in &scene.layers {
            let asked = layer.of_token(token).iter().map(|request| {
                let short = layer.reading().short(request.weight_raw);
                match request.fate {
                    Fate::Kept { .. } => format!("{} {short}", request.expert),
                    fate => format!("{} {short} {}", request.expert, names::fate(fate)),
                }
            });
            cells.push(asked.collect::<Vec<_>>().join(", "));
        }
        cells
    });
    table("Experts requested by each token in each layer", &head, rows)
}
