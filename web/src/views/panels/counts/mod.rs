//! All layers in a few numbers: requests turned away and tokens dropped are two counts.

mod finding;

use moe_router::metrics;
use moe_router::rule::GateReads;
use yew::prelude::*;

use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::glyph::{Mark, glyph};
use crate::words::tongue;

pub static PANEL: Panel = Panel {
    name: PanelName::Counts,
    kind: marked!("All layers"),
    area: "counts",
    tab: Tab::Of(PanelName::Load),
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: |input| finding::finding(input.scene.totals()),
    badges: |_| Html::default(),
    picture,
    table: None,
};

fn picture(input: &PanelInput) -> Html {
    let rows = input.scene.layers.iter().enumerate().map(|(number, layer)| {
        let choose = {
            let dispatch = input.dispatch.clone();
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectLayer(number)))
        };
        let is_selected = number == input.selection.layer;
        let totals = layer.totals();
        let demand = metrics::demand(&layer.routing);
        // Of a distribution that the rule decides by; there may be none, or it was not recorded.
        let entropy = (layer.reading().0 == GateReads::Softmax && layer.gate_is_recorded)
            .then(|| format!("{:.2}", metrics::entropy_normalised(&layer.gate_values, layer.num_experts)));
        html! {
            <tr key={number} class={is_selected.then_some("is-selected")} onclick={choose}>
                // A press of it is one of its row.
                <th scope="row">
                    <button type="button" data-grid="counts" tabindex={if is_selected { "0" } else { "-1" }}
                        aria-pressed={is_selected.to_string()} title={say!("Layer {layer}", layer = layer.layer)}>
                        { format!("L{}", layer.layer) }
                    </button>
                </th>
                <td>{ totals.lost }</td>
                <td>{ totals.dropped_tokens }</td>
                <td>{ format!("{:.2}", metrics::max_over_mean(&demand)) }</td>
                <td>{ entropy.unwrap_or_else(|| "–".to_owned()) }</td>
            </tr>
        }
    });
    html! {
        <table class="layer-table">
            <thead>
                <tr>
                    <th scope="col">{ say!("layer") }</th>
                    <th scope="col" title={say!("Requests turned away")}>{ glyph(Mark::Lost) }{ " " }{ say!("away") }</th>
                    <th scope="col" title={say!("Tokens dropped: turned away by all their experts")}>{ glyph(Mark::Dropped) }{ " " }{ say!("dropped") }</th>
                    <th scope="col" title={say!("Requests of the busiest expert, divided by the mean")}>{ say!("max/mean") }</th>
                    <th scope="col" title={say!("Mean entropy of the gate, between 0 (certain) and 1 (indifferent); a dash where the rule reads no gate probabilities")}>{ say!("entropy") }</th>
                </tr>
            </thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}
