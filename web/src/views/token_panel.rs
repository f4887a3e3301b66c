//! The selected token in the selected layer: what the gate said, what was asked, what came of it.

use moe_router::rule::GateReads;
use yew::prelude::*;

use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::state::{Action, Selection};
use crate::views::expectation::expectation;
use crate::views::fate_glyph::{Mark, glyph};
use crate::views::findings;
use crate::views::panel::Panel;
use crate::views::table::table;
use crate::words::names;
use crate::words::numbers;

#[derive(Properties, PartialEq)]
pub struct TokenPanelProps {
    pub scene: Shared<Scene>,
    pub selection: Selection,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn TokenPanel(props: &TokenPanelProps) -> Html {
    let scene = &props.scene;
    let Selection { token, layer, .. } = props.selection;
    let of_layer = &scene.layers[layer];
    let reading = of_layer.reading();
    let values = of_layer.values_of(token);
    let rows = (0..of_layer.num_experts).map(|expert| gate_row(props, of_layer, expert, values.get(expert).copied()));
    let as_table = {
        let scene = scene.clone();
        Callback::from(move |()| token_table(&scene, &scene.layers[layer], token))
    };
    let shown = &scene.tokens[token];
    let loss = match shown.loss {
        Some(loss) => format!("Cost {loss:.2} nats: it was expected with {}.", numbers::percent((-loss).exp())),
        None => "Nothing before it could predict it.".to_owned(),
    };
    let topic = format!("Token #{token} · layer {}", of_layer.layer);
    html! {
        <Panel area="token" {topic} title={findings::token_title(scene, of_layer, token)} source={scene.source()} table={as_table}>
            <p class="fine" title={format!("entry {} of the vocabulary", shown.id)}>{ loss }</p>
            if let Some(note) = reading.note() {
                <p class="fine gate-note">{ note }</p>
            }
            <div class="gate" role="list" aria-label={reading.names().1}>{ for rows }</div>
            { expectation(scene, token) }
        </Panel>
    }
}

fn gate_row(props: &TokenPanelProps, layer: &SceneLayer, expert: usize, value: Option<f32>) -> Html {
    let token = props.selection.token;
    let request = layer.of_token(token).iter().find(|request| request.expert.index() == expert);
    let choose = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(expert))))
    };
    let outcome = request.map(|request| {
        let mark = Mark::of(request, layer.fate(token));
        let place = match request.fate.slot() {
            Some(slot) => format!("slot {slot}"),
            None => names::fate(request.fate).to_owned(),
        };
        let weight = if request.fate.is_kept() { numbers::weight(request.weight) } else { "×0".to_owned() };
        html! {
            <>
                { glyph(mark) }
                <span class="place">{ place }</span>
                <span class="weight" title="What the expert's output is multiplied with">{ weight }</span>
            </>
        }
    });
    let share = match (layer.reading().0, value) {
        (_, None) => "–".to_owned(),
        (GateReads::Sigmoid, Some(score)) => format!("{score:.2}"),
        (_, Some(probability)) => numbers::percent(probability),
    };
    let class = classes!(
        "gate-row",
        request.is_some().then_some("is-asked"),
        (props.selection.expert == Some(expert)).then_some("is-selected"),
    );
    html! {
        <div key={expert} {class} role="listitem" onclick={choose}>
            <b>{ format!("E{expert}") }</b>
            <span class="bar" aria-hidden="true"><i style={format!("transform:scaleX({:.4})", value.unwrap_or_default())} /></span>
            <span class="share">{ share }</span>
            <span class="outcome">{ outcome.unwrap_or_default() }</span>
        </div>
    }
}

fn token_table(scene: &Scene, layer: &SceneLayer, token: usize) -> Html {
    let values = layer.values_of(token);
    let rows = (0..layer.num_experts).map(|expert| {
        let request = layer.of_token(token).iter().find(|request| request.expert.index() == expert);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        vec![
            expert.to_string(),
            or_dash(values.get(expert).map(|value| format!("{value:.5}"))),
            or_dash(request.map(|request| (request.rank + 1).to_string())),
            or_dash(request.map(|request| names::fate(request.fate).to_owned())),
            or_dash(request.and_then(|request| request.fate.slot()).map(|slot| slot.to_string())),
            or_dash(request.map(|request| format!("{:.5}", request.weight))),
        ]
    });
    let caption = findings::token_title(scene, layer, token);
    table(&caption, &["expert", layer.reading().names().0, "choice", "fate", "slot", "weight if kept"], rows)
}
