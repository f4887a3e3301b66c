//! All layers in a few numbers: lost requests and dropped tokens are two counts.

use moe_router::metrics;
use moe_router::rule::GateReads;
use yew::prelude::*;

use crate::run::scene::Scene;
use crate::state::{Action, Selection};
use crate::views::fate_glyph::{Mark, glyph};
use crate::views::panel::Panel;
use crate::words::numbers::count;

pub fn layer_table(scene: &Scene, selection: Selection, dispatch: &Callback<Action>) -> Html {
    let totals = scene.totals();
    let rows = scene.layers.iter().enumerate().map(|(number, layer)| {
        let choose = {
            let dispatch = dispatch.clone();
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectLayer(number)))
        };
        let totals = layer.totals();
        let demand = metrics::demand(&layer.routing);
        // Of a distribution that the rule decides by; there may be none.
        let entropy = (layer.reading().0 == GateReads::Softmax)
            .then(|| format!("{:.2}", metrics::entropy_normalised(&layer.gate_values, layer.num_experts)));
        html! {
            <tr key={number} class={(number == selection.layer).then_some("is-selected")} onclick={choose}>
                <th scope="row">{ format!("L{}", layer.layer) }</th>
                <td>{ totals.lost }</td>
                <td>{ totals.dropped_tokens }</td>
                <td>{ format!("{:.2}", metrics::max_over_mean(&demand)) }</td>
                <td>{ entropy.unwrap_or_else(|| "–".to_owned()) }</td>
            </tr>
        }
    });
    let title = if totals.lost == 0 {
        "Nothing was lost in any layer".to_owned()
    } else {
        let lost = count(totals.lost, "lost request", "lost requests");
        format!("{lost}, {}", count(totals.dropped_tokens, "dropped token", "dropped tokens"))
    };
    html! {
        <Panel area="counts" topic="All layers" {title} source={scene.source()}>
            <table class="layer-table">
                <thead>
                    <tr>
                        <th scope="col">{ "layer" }</th>
                        <th scope="col">{ glyph(Mark::Lost) }{ " lost" }</th>
                        <th scope="col">{ glyph(Mark::Dropped) }{ " dropped" }</th>
                        <th scope="col" title="The busiest expert's demand over the mean">{ "max/mean" }</th>
                        <th scope="col" title="Mean entropy of the gate, between 0 (certain) and 1 (indifferent); a dash where the rule reads no gate probabilities">{ "entropy" }</th>
                    </tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
        </Panel>
    }
}
