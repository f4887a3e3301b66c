//! By what the experts are judged: what the reader ran, or held-out text that the site ships.

use yew::prelude::*;

use crate::run::experts::Experts;
use crate::state::Action;
use crate::state::background::Purpose;
use crate::state::held_out::Judged;
use crate::views::panel::PanelInput;
use crate::views::parts::comparison_bar::comparison_bar;

/// The choice, and how the runs go that it takes.
pub fn choice(input: &PanelInput) -> Html {
    let held_out = &input.comparisons.held_out;
    let button = |judged: Judged, words: &'static str| {
        let dispatch = input.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::Judge(judged)));
        let is_chosen = held_out.judged() == judged;
        html! { <button type="button" aria-pressed={is_chosen.to_string()} {onclick}>{ words }</button> }
    };
    let is_chosen = held_out.judged() == Judged::ByHeldOut;
    let progress = input.comparisons.held_out_progress.as_ref();
    // What was cancelled, or is of another routing now, is asked for by the same button.
    let status = match held_out.failure() {
        Some(why) => why.to_owned(),
        None if held_out.is_coming() => "Fetching the held-out text …".to_owned(),
        None => String::new(),
    };
    html! {
        <>
            <div class="experts-layers" role="group" aria-label="Judged by">
                { button(Judged::ByRuns, "What you ran") }
                { button(Judged::ByHeldOut, "Held-out text") }
            </div>
            if is_chosen {
                { comparison_bar(input, Purpose::HeldOut, (!input.comparisons.is_held_out_whole).then_some("Run the held-out text"), progress) }
            }
            if !status.is_empty() {
                <span class="fine" role="status">{ status }</span>
            }
        </>
    }
}

/// Where the texts are from.
pub fn sources(input: &PanelInput) -> Html {
    let Some(texts) = input.comparisons.held_out.chosen() else { return Html::default() };
    let sources: Vec<String> = texts
        .sources()
        .into_iter()
        .map(|(kind, source, files)| format!("{kind}: {}; {source}", files.join(", ")))
        .collect();
    html! { <p class="fine">{ format!("No shipped model was trained on this text. {}.", sources.join("; ")) }</p> }
}

/// How differently kinds of text use the experts of the layer.
pub fn divergence(experts: &Experts) -> Html {
    if experts.divergence.is_empty() {
        return Html::default();
    }
    let each: Vec<String> =
        experts.divergence.iter().map(|of| format!("{} {:.3} ({:.3} by lot)", of.kind, of.nats, of.by_lot)).collect();
    html! {
        <p class="fine experts-divergence">
            { format!("Divergence of a kind's requests from all together (Jensen-Shannon, nats; beside it about what requests by lot would \
                have, of so few): {}.", each.join(", ")) }
        </p>
    }
}
