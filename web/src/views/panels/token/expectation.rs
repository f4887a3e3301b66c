//! What the model predicted after a token.

use std::borrow::Cow;

use moe_trace::Candidate;
use yew::prelude::*;

use crate::run::scene::{Scene, probability};
use crate::run::text::{inline, visible};
use crate::views::parts::sized::bar;
use crate::words::numbers;

/// Candidates shown.
const NUM_CANDIDATES: usize = 5;

pub fn expectation(scene: &Scene, token: usize) -> Html {
    let Some((step, next)) = scene.next_after(token) else {
        let given = scene.tokens.get(token + 1).and_then(|next| next.loss).map(|loss| {
            let name = inline(scene.token_text(token + 1));
            say!("Next in the prompt: “{name}”, given {share}.", name, share = numbers::percent(probability(loss)))
        });
        return html! {
            <div class="expectation">
                <h3 class="topic">{ say!("Next token") }</h3>
                <p class="fine">{ given.unwrap_or_else(|| say!("This run has no prediction here.").into_owned()) }</p>
            </div>
        };
    };
    // An earlier step saw a shorter text, and may have routed it otherwise than it is drawn.
    let topic = match step == scene.step {
        true => say!("Next token").into_owned(),
        false => say!("Next token · as of step {step}", step = step + 1),
    };
    // Within the prompt the next token is there already; after it the model chooses.
    let outcome = if token + 1 < scene.recording.prompt_len() { say!("prompt") } else { say!("chosen") };
    let rows = next.candidates.iter().take(NUM_CANDIDATES).map(|candidate| {
        let is_chosen = next.chosen.as_ref().is_some_and(|chosen| chosen.id == candidate.id);
        candidate_row(candidate, is_chosen.then(|| outcome.clone()))
    });
    let chosen_elsewhere = next
        .chosen
        .as_ref()
        .filter(|chosen| !next.candidates.iter().take(NUM_CANDIDATES).any(|candidate| candidate.id == chosen.id));
    html! {
        <div class="expectation">
            <h3 class="topic">{ topic }</h3>
            <ol>
                { for rows }
                if let Some(chosen) = chosen_elsewhere {
                    { candidate_row(chosen, Some(outcome.clone())) }
                }
            </ol>
        </div>
    }
}

/// `outcome`: what made this candidate the next token.
fn candidate_row(candidate: &Candidate, outcome: Option<Cow<'static, str>>) -> Html {
    let probability = candidate.probability;
    html! {
        <li class={outcome.as_ref().map(|_| "is-chosen")}>
            <span class="candidate" dir="auto">{ visible(&Scene::candidate_text(candidate)) }</span>
            { bar(probability) }
            <span class="share">{ numbers::percent(probability) }</span>
            <span class="outcome">{ outcome.unwrap_or_default() }</span>
        </li>
    }
}
