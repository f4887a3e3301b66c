//! The text under each policy, one below the other: what became of every token in the selected layer. Tokens with another
//! outcome than under the run's own policy are outlined.

use yew::prelude::*;

use crate::run::policies::{Outcome, PolicyLab, Row};
use crate::run::scene::Scene;
use crate::run::shared::Shared;
use crate::run::text::quoted;
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::parts::column_words::{COLUMN, column_words, token_at};
use crate::views::parts::fates::fates;
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::in_sight::use_column_in_sight;
use crate::views::parts::sized::at_pixel;
use crate::views::parts::spoken::spoken_token;

#[derive(Properties, PartialEq)]
pub struct StripsProps {
    pub lab: Shared<PolicyLab>,
    pub selection: Selection,
    /// A view behind another tab cannot scroll; it does when it comes to the front.
    pub tab: PanelName,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Strips(props: &StripsProps) -> Html {
    let lab = &props.lab;
    let frame = use_node_ref();
    use_column_in_sight(&frame, props.selection.token, (props.tab, lab.clone()));
    let Some((_, first)) = lab.outcomes().next() else { return Html::default() };
    let scene = &first.scene;
    // A text that was written token by token may be read in other tokens; there is no cursor then from there on.
    let cursor = Some(props.selection.token).filter(|&token| token < lab.num_shared_tokens);
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="lab-strips" {dir} ref={frame} tabindex="0" role="group"
            aria-label={say!("The text under each policy; the arrow keys choose token and layer")}>
            { column_words(scene, cursor, &props.dispatch) }
            { for lab.rows.iter().map(|row| strip(props, row, cursor)) }
            if let Some(token) = cursor {
                <div class="lab-cursor" aria-hidden="true">
                    { at_pixel(token * COLUMN, html! {
                        <svg width={(COLUMN - 1).to_string()} height="100%"><rect width="100%" height="100%" /></svg>
                    }) }
                </div>
            }
        </div>
    }
}

fn strip(props: &StripsProps, row: &Row, cursor: Option<usize>) -> Html {
    let name = row.policy.name();
    let class = classes!("lab-strip", row.is_of_run.then_some("is-of-run"));
    let field = match &row.outcome {
        None => html! { <span class="fine">{ say!("not computed yet") }</span> },
        Some(outcome) => field(props, &name, outcome, cursor),
    };
    html! {
        <div key={name.to_string()} {class}>
            <span class="lab-name" title={row.policy.explained()} dir="ltr">
                { &*name }
                if row.is_of_run { <small>{ say!("the run's policy") }</small> }
                if row.looks_ahead { <small title={say!("A later token may take an earlier one's slot: fine in training, not possible in real generation")}>{ say!("looks ahead") }</small> }
            </span>
            { field }
        </div>
    }
}

fn field(props: &StripsProps, name: &str, outcome: &Outcome, cursor: Option<usize>) -> Html {
    let scene = &outcome.scene;
    let layer = props.selection.layer.min(scene.layers.len().saturating_sub(1));
    let of_layer = &scene.layers[layer];
    let shapes: Vec<_> =
        (0..scene.tokens.len()).map(|token| (of_layer.fate(token), outcome.differs[layer][token])).collect();
    let (num_tokens, is_right_to_left) = (scene.tokens.len(), scene.is_right_to_left);
    let onclick = {
        let (dispatch, num_shared) = (props.dispatch.clone(), props.lab.num_shared_tokens);
        Callback::from(move |event: MouseEvent| {
            let token = token_at(&event, num_tokens, is_right_to_left);
            if token < num_shared {
                dispatch.emit(Action::Select { token, layer: None, expert: None });
            }
        })
    };
    let onmousemove = {
        let (scene, name) = (scene.clone(), name.to_owned());
        Callback::from(move |event: MouseEvent| {
            let token = token_at(&event, num_tokens, is_right_to_left);
            say_on_hover(&event, &said(&name, &scene, layer, token));
        })
    };
    html! {
        <div class="lab-field" {onclick} {onmousemove}>
            { fates(&shapes) }
            if let Some(token) = cursor {
                <span class="hidden">{ said(name, scene, layer, token) }</span>
            }
        </div>
    }
}

/// What became of a token under a policy, and its loss.
fn said(name: &str, scene: &Scene, layer: usize, token: usize) -> String {
    let outcome = spoken_token(scene, &scene.layers[layer], token);
    match scene.tokens[token].loss {
        None => say!("At the end of the text, under “{policy}”: {outcome}", policy = name, outcome),
        Some(loss) => say!(
            "At the end of the text, under “{policy}”: {outcome} Loss of {text}: {loss} nats.",
            policy = name,
            outcome,
            text = quoted(scene.token_text(token)),
            loss = format_args!("{loss:.3}")
        ),
    }
}
