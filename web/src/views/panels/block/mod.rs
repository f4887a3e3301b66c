//! The layer: a drawing of one layer of this model with its sizes, from which the panels that look into it open.

mod drawing;
mod facts;

use yew::prelude::*;

use crate::run::block::Block;
use crate::settings::view::{PanelName, View};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::table::table;
use crate::words::numbers::parameters;
use crate::words::tongue;
use drawing::drawing;
use facts::facts;

pub static PANEL: Panel = Panel {
    name: PanelName::Block,
    kind: marked!("The layer"),
    area: "row",
    tab: Tab::Of(PanelName::Layers),
    depth: Depth::Lab,
    sees: Sees::Run,
    lacks: |input| {
        let is_foreign = input.scene.recording.foreign.is_some();
        is_foreign.then_some(marked!("Nobody recorded the sizes of this model"))
    },
    topic: |input| say!("The layer · layer {layer}", layer = input.layer().layer),
    finding: |input| {
        let (block, model) = (Block::of(&input.scene), &input.scene.recording.model);
        let (active, all) = (parameters(model.num_active_parameters), parameters(model.num_parameters));
        match (block.num_active, block.num_experts) {
            (active_experts, num_experts) if active_experts < num_experts => {
                say!(
                    "{working} of {experts} experts work for a token, {active} of {all} parameters",
                    working = active_experts,
                    experts = num_experts,
                    active,
                    all,
                )
            }
            (_, 1) => say!("The only expert works for every token, and all {all} parameters", all),
            (_, num_experts) => say!(
                "All {experts} experts work for every token, {active} of {all} parameters",
                experts = num_experts,
                active,
                all,
            ),
        }
    },
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

/// The panels that look into a part of the layer, and what they show of it.
const INSIDE: [(PanelName, &str); 8] = [
    (PanelName::Token, marked!("the gate, for one token")),
    (PanelName::Microscope, marked!("its decision, step by step")),
    (PanelName::Lanes, marked!("the experts’ slots")),
    (PanelName::Load, marked!("how busy the experts are")),
    (PanelName::Losses, marked!("what the losses say of that")),
    (PanelName::Layers, marked!("all layers and tokens")),
    (PanelName::Loss, marked!("what comes out: the loss")),
    (PanelName::Strip, marked!("the text")),
];

fn picture(input: &PanelInput) -> Html {
    let is_there = |(panel, _): &&(PanelName, &'static str)| match &input.view {
        View::Full => true,
        View::Panels(names) => names.contains(panel),
    };
    let entry = |&(panel, words): &(PanelName, &'static str)| {
        let onclick = input.open.reform(move |_: MouseEvent| panel);
        html! { <li><button type="button" class="quiet" {onclick}>{ tongue::translated(words) }</button></li> }
    };
    let entries: Vec<Html> = INSIDE.iter().filter(is_there).map(entry).collect();
    html! {
        <div class="block">
            { drawing(input) }
            <div>
                <dl class="block-facts">
                    { for facts(&input.scene).into_iter().map(|(name, value)| html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> }) }
                </dl>
                if !entries.is_empty() {
                    <h3 class="topic">{ say!("Look into it") }</h3>
                    <ul class="block-links">{ for entries }</ul>
                }
            </div>
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let rows = facts(&input.scene).into_iter().map(|(name, value)| vec![name.into_owned(), value]);
    table(&say!("What is known of this model’s layers"), &[&say!("what"), &say!("how much")], rows)
}
