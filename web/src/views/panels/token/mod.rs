//! The selected token in the selected layer: the gate, its requests, and what became of them.

mod expectation;
mod finding;

use moe_router::rule::GateReads;
use moe_trace::{ExpertIdx, Intervention};
use yew::prelude::*;

use crate::run::scene::{SceneLayer, probability};
use crate::settings::interventions;
use crate::settings::view::PanelName;
use crate::state::{Action, Selection};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::sized::{bar, no_bar};
use crate::views::parts::surgery::surgery;
use crate::views::parts::table::table;
use crate::words::{self, names, numbers};
use expectation::expectation;

pub static PANEL: Panel = Panel {
    name: PanelName::Token,
    kind: marked!("Token"),
    area: "token",
    tab: Tab::Own(marked!("Token")),
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |input| say!("Token #{token} · layer {layer}", token = input.selection.token, layer = input.layer().layer),
    finding: title,
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

fn title(input: &PanelInput) -> String {
    finding::finding(&input.scene, input.layer(), input.selection.token)
}

fn picture(input: &PanelInput) -> Html {
    let Selection { token, .. } = input.selection;
    let layer = input.layer();
    let reading = layer.reading();
    let values = layer.values_of(token);
    let rows = (0..layer.num_experts).map(|expert| gate_row(input, layer, expert, values.get(expert).copied()));
    let changes = interventions::about(input.changes(), layer.layer, token as u32);
    let shown = &input.scene.tokens[token];
    let loss = match shown.loss {
        Some(loss) => say!(
            "Loss {nats} nats: the model gave it {share}.",
            nats = format_args!("{loss:.2}"),
            share = numbers::percent(probability(loss))
        ),
        None => say!("The first token has no prediction.").into_owned(),
    };
    html! {
        <>
            <p class="fine" title={shown.id.map(|id| say!("entry {id} of the vocabulary", id))}>{ loss }</p>
            if let Some(note) = layer.gate_note() {
                <p class="fine gate-note">{ note }</p>
            }
            if !changes.is_empty() {
                <p class="fine gate-note">
                    { match changes.iter().all(|change| matches!(change, Intervention::Swap { .. })) {
                        true => say!("Changed here: {changes}. Who asks one of the two is served by the other.",
                            changes = words::changes::all(&changes)),
                        false => say!("Changed here: {changes}. What the gate says is shown as it was changed.",
                            changes = words::changes::all(&changes)),
                    } }
                </p>
            }
            <div class="gate" role="list" aria-label={reading.names().1}>{ for rows }</div>
            { surgery(input) }
            { expectation(&input.scene, token) }
        </>
    }
}

fn gate_row(input: &PanelInput, layer: &SceneLayer, expert: usize, value: Option<f32>) -> Html {
    let token = input.selection.token;
    let request = layer.of_token(token).iter().find(|request| request.expert.index() == expert);
    let choose = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(expert))))
    };
    let outcome = request.map(|request| {
        let mark = Mark::of(request, layer.fate(token));
        let place = match request.fate.slot() {
            Some(slot) => say!("slot {slot}", slot),
            None => String::from(names::fate(request.fate)),
        };
        let weight = if request.fate.is_kept() { numbers::weight(request.weight) } else { "×0".to_owned() };
        html! {
            <>
                { glyph(mark) }
                <span class="place">{ place }</span>
                <span class="weight" title={say!("The expert's output is multiplied by this")}>{ weight }</span>
            </>
        }
    });
    let share = match (layer.reading().0, value) {
        (_, None) => "–".to_owned(),
        (GateReads::Sigmoid, Some(score)) => format!("{score:.2}"),
        (_, Some(probability)) => numbers::percent(probability),
    };
    let is_muted = interventions::is_muted(input.changes(), layer.layer, ExpertIdx(expert as u32));
    let not_asked = if is_muted { say!("muted") } else { say!("not requested") };
    let fate = request.map_or(not_asked, |request| Mark::of(request, layer.fate(token)).name());
    let title = say!("Expert {expert}: {share}, {fate}", expert, share, fate);
    let class = classes!(
        "gate-row",
        request.is_some().then_some("is-asked"),
        (input.selection.expert == Some(expert)).then_some("is-selected"),
    );
    html! {
        <div key={expert} {class} role="listitem" {title} onclick={choose}>
            <b>{ format!("E{expert}") }</b>
            { value.map_or_else(no_bar, bar) }
            <span class="share">{ share }</span>
            <span class="outcome">
                { outcome.unwrap_or_default() }
                if is_muted {
                    <span class="place">{ say!("muted") }</span>
                }
            </span>
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let (layer, token) = (input.layer(), input.selection.token);
    let values = layer.values_of(token);
    let rows = (0..layer.num_experts).map(|expert| {
        let request = layer.of_token(token).iter().find(|request| request.expert.index() == expert);
        let is_muted = interventions::is_muted(input.changes(), layer.layer, ExpertIdx(expert as u32));
        let muted = is_muted.then(|| say!("muted").into_owned());
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        vec![
            expert.to_string(),
            or_dash(values.get(expert).map(|value| format!("{value:.5}"))),
            or_dash(request.map(|request| (request.rank + 1).to_string())),
            or_dash(request.map(|request| String::from(names::fate(request.fate))).or(muted)),
            or_dash(request.and_then(|request| request.fate.slot()).map(|slot| slot.to_string())),
            or_dash(request.map(|request| format!("{:.5}", request.weight))),
        ]
    });
    let head = [
        say!("expert"),
        layer.reading().names().0,
        say!("choice"),
        say!("outcome"),
        say!("slot"),
        say!("weight if served"),
    ];
    table(&title(input), &head.each_ref().map(|name| &**name), rows)
}
