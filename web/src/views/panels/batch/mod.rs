//! A batch: several texts decode in step and share capacity, so that what one asks decides what another gets. Each is run
//! alone, too, and what differs is said.

mod fields;
mod finding;
mod grid;
mod slots;
mod twin;

use moe_trace::Overflow;
use yew::prelude::*;

use crate::run::in_step::{InStep, NUM_NEW};
use crate::settings::view::PanelName;
use crate::state::background::Purpose;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::comparison_bar::comparison_bar;

pub static PANEL: Panel = Panel {
    name: PanelName::Batch,
    kind: marked!("Batch"),
    area: "row",
    tab: Tab::Of(PanelName::Policies),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |_| None,
    topic: |input| say!("Batch · outcomes in layer {layer}", layer = input.layer().layer),
    finding: |input| match in_step(input) {
        Some((batch, step)) => finding::finding(batch, step, input.selection.layer),
        None => many!(
            input.comparisons.texts.len(),
            "{n} text to be decoded in step, with slots that they share: not run yet",
            "{n} texts to be decoded in step, with slots that they share: not run yet"
        ),
    },
    badges: |_| Html::default(),
    picture,
    table: Some(|input| {
        in_step(input).map_or_else(Html::default, |(batch, step)| twin::tables(batch, step, input.selection.layer))
    }),
};

/// What was computed, and the step of it that is looked at: the reader's, else the first at which the selected layer turns
/// somebody away.
fn in_step(input: &PanelInput) -> Option<(&InStep, usize)> {
    let batch = input.comparisons.in_step.as_deref()?;
    let step = input.comparisons.step_in_step.or_else(|| batch.first_lost(input.selection.layer));
    Some((batch, step.unwrap_or(0).min(batch.steps.len().saturating_sub(1))))
}

fn picture(input: &PanelInput) -> Html {
    let is_whole = in_step(input).is_some_and(|(batch, _)| batch.rows.iter().all(|row| row.alone.is_some()));
    let texts = input.comparisons.texts.len();
    let start = (!is_whole).then(|| many!(texts, "Run {n} text in step", "Run {n} texts in step"));
    let progress = input.comparisons.in_step_progress.as_ref();
    html! {
        <div class="batch">
            { fields::fields(input) }
            { comparison_bar(input, Purpose::InStep, start.as_deref(), progress) }
            if let Some((batch, step)) = in_step(input) {
                { grid::grid(input, batch, step) }
                { slots::slots(batch, step, input.selection.layer) }
                <ul class="batch-alone">
                    { for (0..batch.rows.len()).filter_map(|text| finding::alone(batch, text)).map(|words| html! { <li>{ words }</li> }) }
                </ul>
            }
            <p class="fine">{ how(input) }</p>
        </div>
    }
}

/// What is run.
fn how(input: &PanelInput) -> String {
    let request = &input.scene.recording.request;
    let group = match request.routing.overflow {
        Overflow::Drop(_) => say!(
            "At each step one token of every text is read or written, prompts included: these are one group, whose \
             capacity follows from their number."
        ),
        Overflow::Dropless => say!(
            "At each step one token of every text is read or written, prompts included: these are one group; this \
             routing turns nobody away, so no text can tell that it is not alone."
        ),
    };
    let routing = say!(
        "The routing is that of the run on the screen; each text is continued by {number} tokens, the likeliest ones, \
         in the batch and then alone.",
        number = NUM_NEW,
    );
    match request.interventions.is_empty() {
        true => format!("{group} {routing}"),
        false => format!("{group} {routing} {}", say!("What you changed inside the model is left out.")),
    }
}
