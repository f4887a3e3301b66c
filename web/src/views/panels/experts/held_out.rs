//! By what the experts are judged: what the reader ran, or held-out text that the site ships.

use std::borrow::Cow;

use yew::prelude::*;

use crate::run::experts::Experts;
use crate::state::Action;
use crate::state::background::Purpose;
use crate::state::held_out::Judged;
use crate::views::panel::PanelInput;
use crate::views::parts::comparison_bar::comparison_bar;
use crate::words::{names, tongue};

/// The choice, and how the runs go that it takes.
pub fn choice(input: &PanelInput) -> Html {
    let held_out = &input.comparisons.held_out;
    let button = |judged: Judged, words: Cow<'static, str>| {
        let dispatch = input.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::Judge(judged)));
        let is_chosen = held_out.judged() == judged;
        html! { <button type="button" aria-pressed={is_chosen.to_string()} {onclick}>{ words }</button> }
    };
    let is_chosen = held_out.judged() == Judged::ByHeldOut;
    let progress = input.comparisons.held_out_progress.as_ref();
    let start = (!input.comparisons.is_held_out_whole).then(|| say!("Run the held-out text"));
    // What was cancelled, or is of another routing now, is asked for by the same button.
    let status = match held_out.failure() {
        Some(why) => why.to_owned(),
        None if held_out.is_coming() => say!("Fetching the held-out text …").into_owned(),
        None => String::new(),
    };
    html! {
        <>
            <div class="experts-layers" role="group" aria-label={say!("Judged by")}>
                { button(Judged::ByRuns, say!("What you ran")) }
                { button(Judged::ByHeldOut, say!("Held-out text")) }
            </div>
            if is_chosen {
                { comparison_bar(input, Purpose::HeldOut, start.as_deref(), progress) }
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
        .map(|(kind, source, files)| {
            let (kind, files) = (tongue::translated(kind).into_owned(), files.join(", "));
            say!("{kind}: {files}; {source}", kind, files, source)
        })
        .collect();
    html! { <p class="fine">{ say!("No shipped model was trained on this text. {sources}.", sources = sources.join("; ")) }</p> }
}

/// How differently kinds of text use the experts of the layer.
pub fn divergence(experts: &Experts) -> Html {
    if experts.divergence.is_empty() {
        return Html::default();
    }
    let each = experts.divergence.iter().map(|of| {
        say!(
            "{kind} {nats} ({by_lot} by lot)",
            kind = tongue::translated(&of.kind),
            nats = format_args!("{:.3}", of.nats),
            by_lot = format_args!("{:.3}", of.by_lot),
        )
    });
    html! {
        <p class="fine experts-divergence">
            { say!("Divergence of a kind's requests from all together (Jensen-Shannon, nats; beside it about what requests by lot would \
                have, of so few): {kinds}.", kinds = names::listed(each)) }
        </p>
    }
}
