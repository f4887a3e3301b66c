//! Layers × tokens: where in the model and where in the text. A click selects both.

mod finding;

use moe_trace::Fate;
use yew::prelude::*;

use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::text::inline;
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::column_words::{COLUMN, column_words, token_at};
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::in_sight::use_column_in_sight;
use crate::views::parts::section::{Part, section};
use crate::views::parts::sized::at_pixel;
use crate::views::parts::speaking::use_tongue;
use crate::views::parts::spoken::spoken_token;
use crate::views::parts::stripe::{self, row_height};
use crate::views::parts::table::{Cell, table};
use crate::words::{names, tongue};

pub static PANEL: Panel = Panel {
    name: PanelName::Layers,
    kind: marked!("Layers × tokens"),
    area: "layers",
    tab: Tab::Own(marked!("Layers")),
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
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
    use_tongue();
    let scene = &props.scene;
    let frame = use_node_ref();
    use_column_in_sight(&frame, props.selection.token, (props.tab, scene.clone()));
    // The tokens run as the text does.
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="matrix" {dir} ref={frame}>
            { column_words(scene, Some(props.selection.token), &props.dispatch) }
            { for (0..scene.layers.len()).map(|layer| layer_row(props, layer)) }
            <div class="matrix-column" aria-hidden="true">
                { at_pixel(props.selection.token * COLUMN, html! {
                    <svg width={(COLUMN - 1).to_string()} height="100%"><rect width="100%" height="100%" /></svg>
                }) }
            </div>
        </div>
    }
}

/// A layer's stripe, what one can point at in it, and the one cell that takes the focus.
fn layer_row(props: &MatrixProps, layer: usize) -> Html {
    let scene = &props.scene;
    let of_layer = &scene.layers[layer];
    let row = row_height(of_layer.num_experts);
    // The token and the expert under the mouse or finger.
    let cell_at = {
        let (num_tokens, is_right_to_left) = (scene.tokens.len(), scene.is_right_to_left);
        move |event: &MouseEvent| {
            (token_at(event, num_tokens, is_right_to_left), event.offset_y().max(0) as usize / row)
        }
    };
    let onclick = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: MouseEvent| {
            let (token, expert) = cell_at(&event);
            dispatch.emit(Action::Select { token, layer: Some(layer), expert: Some(expert) });
        })
    };
    let onmousemove = {
        let scene = scene.clone();
        Callback::from(move |event: MouseEvent| {
            let (token, _) = cell_at(&event);
            say_on_hover(&event, &spoken_token(&scene, &scene.layers[layer], token));
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
                    <small>{ glyph(Mark::Lost) }{ lost }<span class="hidden">{ " " }{ say!("turned away") }</span></small>
                }
            </button>
            <div class="matrix-field" {onclick} {onmousemove}>
                <div class="stripe" aria-hidden="true">{ section(layer, Stripe { scene: scene.clone(), layer }) }</div>
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

/// A layer of a scene. Nothing of it is looked at again while only the selection moves.
#[derive(PartialEq)]
struct Stripe {
    scene: Shared<Scene>,
    layer: usize,
}

impl Part for Stripe {
    fn draw(&self) -> Html {
        stripe::drawn(&self.scene, &self.scene.layers[self.layer])
    }
}

fn experts_title(layer: &SceneLayer) -> String {
    match layer.num_experts {
        1 => say!("Layer {layer}, its only expert", layer = layer.layer),
        num_experts => say!(
            "Layer {layer}, experts 0 to {last} downwards",
            layer = layer.layer,
            last = num_experts.saturating_sub(1),
        ),
    }
}

fn as_table(input: &PanelInput) -> Html {
    let scene = &input.scene;
    let mut head = vec!["#".to_owned(), say!("token").into_owned()];
    head.extend(scene.layers.iter().map(|layer| say!("layer {layer}", layer = layer.layer)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = (0..scene.tokens.len()).map(|token| {
        let mut cells = vec![token.to_string().into(), Cell::Text(inline(scene.token_text(token)))];
        for layer in &scene.layers {
            let asked = layer.of_token(token).iter().map(|request| {
                let short = layer.reading().short(request.weight_raw);
                match request.fate {
                    Fate::Kept { .. } => format!("E{} {short}", request.expert),
                    fate => format!("E{} {short} {}", request.expert, names::fate(fate)),
                }
            });
            cells.push(names::listed(asked).into());
        }
        cells
    });
    table(&say!("Experts requested by each token in each layer"), &head, rows)
}
