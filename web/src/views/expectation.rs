//! What the model expected after a token.

use yew::prelude::*;

use crate::scene::Scene;
use crate::shared::Shared;
use crate::text::visible;
use crate::wording;

#[derive(Properties, PartialEq)]
pub struct ExpectationProps {
    pub scene: Shared<Scene>,
    pub token: usize,
}

/// Candidates shown.
const NUM_CANDIDATES: usize = 5;

#[component]
pub fn Expectation(props: &ExpectationProps) -> Html {
    let scene = &props.scene;
    let Some(next) = scene.next_after(props.token) else {
        let given = scene.tokens.get(props.token + 1).and_then(|next| next.loss).map(|loss| {
            let name = visible(scene.token_text(props.token + 1));
            format!("“{name}” was given; the model expected it with {}.", wording::percent((-loss).exp()))
        });
        return html! {
            <div class="expectation">
                <h3 class="topic">{ "Next token" }</h3>
                <p class="fine">{ given.unwrap_or_else(|| "No step of this run ended here.".to_owned()) }</p>
            </div>
        };
    };
    let rows = next.candidates.iter().take(NUM_CANDIDATES).map(|candidate| {
        let is_chosen = next.chosen.as_ref().is_some_and(|chosen| chosen.id == candidate.id);
        candidate_row(&Scene::candidate_text(candidate), candidate.probability, is_chosen)
    });
    let chosen_elsewhere = next
        .chosen
        .as_ref()
        .filter(|chosen| !next.candidates.iter().take(NUM_CANDIDATES).any(|candidate| candidate.id == chosen.id));
    html! {
        <div class="expectation">
            <h3 class="topic">{ "Next token" }</h3>
            <ol>
                { for rows }
                if let Some(chosen) = chosen_elsewhere {
                    { candidate_row(&Scene::candidate_text(chosen), chosen.probability, true) }
                }
            </ol>
        </div>
    }
}

fn candidate_row(text: &str, probability: f32, is_chosen: bool) -> Html {
    html! {
        <li class={is_chosen.then_some("is-chosen")}>
            <span class="candidate" dir="auto">{ visible(text) }</span>
            <span class="bar" aria-hidden="true"><i style={format!("transform:scaleX({probability:.4})")} /></span>
            <span class="share">{ wording::percent(probability) }</span>
            <span class="outcome">{ if is_chosen { "taken" } else { "" } }</span>
        </li>
    }
}
