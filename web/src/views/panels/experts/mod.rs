//! Experts: what each one of a layer is asked by, and what the text loses without it.

mod associations;
mod facts;
mod finding;
mod grid;
mod held_out;
mod model_grid;
mod muting;
mod twin;

use yew::prelude::*;

use crate::run::experts::sample::OWN;
use crate::run::experts::{ENOUGH, Experts, open_expert};
use crate::run::text::{inline, visible};
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::state::background::Purpose;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::comparison_bar::comparison_bar;
use crate::words::{names, tongue};

pub static PANEL: Panel = Panel {
    name: PanelName::Experts,
    kind: marked!("Experts"),
    area: "row",
    tab: Tab::Own(marked!("Experts")),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |input| {
        let is_none = open(input).is_none();
        is_none.then_some(marked!("No run of this layer has come to its end yet, and experts are judged by whole runs"))
    },
    topic: |input| say!("Experts · layer {layer}", layer = input.layer().layer),
    finding: |input| open(input).map_or_else(String::new, |(experts, expert)| finding::finding(experts, expert)),
    badges: |_| Html::default(),
    picture: |input| match open(input) {
        Some((experts, expert)) => picture(input, experts, expert),
        None => Html::default(),
    },
    table: Some(|input| match open(input) {
        Some((experts, _)) => html! {
            <>{ twin::table_of(experts, input.comparisons.muting.as_deref()) }{ model_grid::as_table(&input.scene) }</>
        },
        None => Html::default(),
    }),
};

/// The layer's experts, and the one whose page is open.
fn open(input: &PanelInput) -> Option<(&Experts, usize)> {
    let experts = input.comparisons.experts.as_deref()?;
    let expert = open_expert(input.layer(), input.selection.token, input.selection.expert);
    (expert < experts.experts.len()).then_some((experts, expert))
}

fn picture(input: &PanelInput, experts: &Experts, expert: usize) -> Html {
    let progress = input.comparisons.more_text_progress.as_ref();
    let is_read = progress.is_some_and(|it| !it.is_under_way() && it.end.is_none());
    let start = (!is_read).then(|| say!("Run longer texts"));
    html! {
        <div class="experts">
            <div class="experts-head">
                { layers(input) }
                { held_out::choice(input) }
                if input.comparisons.held_out.chosen().is_none() {
                    { comparison_bar(input, Purpose::MoreText, start.as_deref(), progress) }
                }
            </div>
            <p class="fine">{ sample_words(input, experts) }</p>
            { held_out::sources(input) }
            { held_out::divergence(experts) }
            { model_grid::model_grid(input, expert) }
            { grid::grid(input, experts, expert) }
            <div class="expert-page">
                { associations::associations(experts, expert) }
                { facts::facts(experts, expert) }
                { contexts(input, experts, expert) }
            </div>
            { muting::muting(input, experts, expert) }
        </div>
    }
}

/// An expert of one layer has nothing to do with that of the same number in another.
fn layers(input: &PanelInput) -> Html {
    let choose = |layer: usize| {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectLayer(layer)))
    };
    let button = |(at, layer): (usize, &crate::run::scene::SceneLayer)| {
        let is_open = at == input.selection.layer;
        html! {
            <button key={at} type="button" aria-pressed={is_open.to_string()} onclick={choose(at)}>
                { format!("L{}", layer.layer) }
            </button>
        }
    };
    html! {
        <div class="experts-layers" role="group" aria-label={say!("Layer")}>
            { for input.scene.layers.iter().enumerate().map(button) }
        </div>
    }
}

/// How much was read, and of what.
fn sample_words(input: &PanelInput, experts: &Experts) -> String {
    let sample = &experts.sample;
    let by_kind = sample.kinds.iter().zip(sample.num_by_kind()).map(|(kind, number)| {
        let text = tongue::translated(kind);
        match **kind == *OWN {
            true => say!("{number} of {text}", number, text),
            false => say!("{number} {text}", number, text),
        }
    });
    let read = many!(
        sample.num_tokens(),
        "Read: {n} token ({kinds}). Whom a token asks counts, served or not; each stretch of text counts once.",
        "Read: {n} tokens ({kinds}). Whom a token asks counts, served or not; each stretch of text counts once.",
        kinds = names::listed(by_kind),
    );
    if !sample.is_enough() {
        let little = say!("That is too little to tell a speciality from chance: it takes {number}.", number = ENOUGH);
        return format!("{read} {little}");
    }
    let halves = say!("The first half of each text finds, the second has to find again.");
    match input.comparisons.held_out.chosen() {
        Some(_) => format!("{read} {halves}"),
        None => {
            let written = say!("Longer texts begin with a prompt of their kind, and the model writes on.");
            format!("{read} {halves} {written}")
        }
    }
}

/// Where it was asked. Those of the run on the screen lead there.
fn contexts(input: &PanelInput, experts: &Experts, expert: usize) -> Html {
    let contexts = experts.contexts(expert);
    if contexts.is_empty() {
        return Html::default();
    }
    let context = |(at, context): (usize, crate::run::experts::Context)| {
        let words = html! {
            <><bdi>{ visible(&context.before) }</bdi><mark>{ inline(&context.word) }</mark><bdi>{ visible(&context.after) }</bdi></>
        };
        let go = context.token.map(|token| {
            let (dispatch, layer) = (input.dispatch.clone(), input.selection.layer);
            let select = Action::Select { token, layer: Some(layer), expert: Some(expert) };
            Callback::from(move |_: MouseEvent| dispatch.emit(select.clone()))
        });
        html! {
            <li key={at}>
                if let Some(onclick) = go {
                    <button type="button" title={say!("In the run on the screen: select it")} {onclick}>{ words }</button>
                } else {
                    { words }
                }
            </li>
        }
    };
    html! {
        <section class="expert-contexts">
            <h3>{ say!("Where it was asked") }</h3>
            <ul>{ for contexts.into_iter().enumerate().map(context) }</ul>
        </section>
    }
}
