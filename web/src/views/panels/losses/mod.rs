//! Auxiliary losses: what each loss of the literature says of this text, with its formula and each expert's part in it.

mod finding;
mod terms;

use moe_router::auxiliary::{AuxiliaryLoss, Family, LETTERS, Measured, Missing};
use yew::prelude::*;

use crate::run::losses::{self, Found};
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::citation::citation;
use crate::views::parts::math::{math, words};
use crate::views::parts::table::table;
use crate::words::numbers::digits;
use crate::words::tongue;
use terms::terms;

pub static PANEL: Panel = Panel {
    name: PanelName::Losses,
    kind: marked!("Auxiliary losses"),
    area: "row",
    tab: Tab::Of(PanelName::Load),
    depth: Depth::Lab,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |input| say!("Auxiliary losses · layer {layer}", layer = input.layer().layer),
    finding: |input| {
        let layer = input.selection.layer;
        finding::finding(&input.scene, layer, &losses::of_layer(&input.scene, layer))
    },
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

/// So many layers are listed beside each loss; of more only the least and the most.
const MAX_LISTED: usize = 8;

/// All losses in all layers: a list for each layer.
fn of_layers(input: &PanelInput) -> Vec<Vec<Found>> {
    (0..input.scene.layers.len()).map(|layer| losses::of_layer(&input.scene, layer)).collect()
}

fn picture(input: &PanelInput) -> Html {
    let layers = of_layers(input);
    let selected = &layers[input.selection.layer];
    let family = |family: Family| {
        let of_family = selected.iter().enumerate().filter(|(_, (loss, _))| loss.family == family);
        let rows = of_family.filter_map(|(at, (loss, found))| {
            let others = layers.iter().map(|of_layer| &of_layer[at].1);
            Some(row(input, loss, found.as_ref().ok()?, &others.collect::<Vec<_>>()))
        });
        let rows: Vec<Html> = rows.collect();
        if rows.is_empty() {
            return Html::default();
        }
        html! {
            <div class="aux-family">
                <h3 class="topic">{ tongue::translated(family.title()) }</h3>
                <ul>{ for rows }</ul>
            </div>
        }
    };
    html! {
        <>
            <p class="fine">{ weave!("Each without its coefficient, over all tokens in sight. {letters}.", letters = words(&tongue::translated(LETTERS))) }</p>
            <div class="aux">{ for Family::ALL.into_iter().map(family) }</div>
            { not_here(selected) }
        </>
    }
}

/// One loss: what it is, its formula, the experts' parts, its value.
fn row(
    input: &PanelInput,
    loss: &'static AuxiliaryLoss,
    found: &Measured,
    others: &[&Result<Measured, Missing>],
) -> Html {
    let even = losses::at_balance(&input.scene, loss).map(|even| say!("even use: {value}", value = digits(even)));
    html! {
        <li key={loss.name} class="aux-loss">
            <div class="aux-name">
                <b>{ tongue::translated(loss.title) }</b>
                <p class="fine">{ citation(loss.paper, loss.equation) }</p>
            </div>
            <div class="aux-formula">
                { math(loss.formula) }
                if !loss.letters.is_empty() {
                    <p class="fine">{ words(&tongue::translated(loss.letters)) }</p>
                }
            </div>
            <div class="aux-terms">
                if let Some(of_experts) = &found.terms {
                    { terms(of_experts, input.selection.expert) }
                }
            </div>
            <div class="aux-value">
                <b>{ digits(found.value) }</b>
                <span class="fine">{ even.unwrap_or_else(|| say!("knows no balance").into_owned()) }</span>
            </div>
            { by_layer(input, others) }
        </li>
    }
}

/// The values in all layers, each a way to its layer.
fn by_layer(input: &PanelInput, found: &[&Result<Measured, Missing>]) -> Html {
    let value_of = |layer: usize| found[layer].as_ref().ok().map(|found| found.value);
    let known: Vec<(usize, f64)> = (0..found.len()).filter_map(|layer| Some((layer, value_of(layer)?))).collect();
    let entry = |&(layer, value): &(usize, f64)| {
        let dispatch = input.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectLayer(layer)));
        let is_selected = (layer == input.selection.layer).to_string();
        html! {
            <button type="button" class="quiet" aria-pressed={is_selected} {onclick}>
                { format!("L{} ", input.scene.layers[layer].layer) }<b>{ digits(value) }</b>
            </button>
        }
    };
    let ends = || {
        let least = known.iter().copied().reduce(|best, next| if next.1 < best.1 { next } else { best })?;
        let most = known.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        Some(weave!("least {least} most {most}", least = entry(&least), most = entry(&most)))
    };
    let entries = match known.len() {
        0..=1 => Html::default(),
        2..=MAX_LISTED => html! { <>{ for known.iter().map(entry) }</> },
        _ => ends().unwrap_or_default(),
    };
    html! { <div class="aux-layers">{ entries }</div> }
}

/// What cannot be computed, and what it would need.
fn not_here(found: &[Found]) -> Html {
    let missing: Vec<_> = found.iter().filter_map(|(loss, found)| Some((loss, found.as_ref().err()?))).collect();
    if missing.is_empty() {
        return Html::default();
    }
    let entry = |(loss, missing): &(&&'static AuxiliaryLoss, &Missing)| {
        html! {
            <li key={loss.name} class="aux-missing">
                <div>
                    <b>{ tongue::translated(loss.title) }</b>
                    <p class="fine">{ citation(loss.paper, loss.equation) }</p>
                </div>
                { math(loss.formula) }
                <p>{ tongue::translated(missing.says()) }</p>
            </li>
        }
    };
    html! {
        <div class="aux-family">
            <h3 class="topic">{ say!("Not to be computed from this run") }</h3>
            <ul>{ for missing.iter().map(entry) }</ul>
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let layers = of_layers(input);
    let selected = &layers[input.selection.layer];
    let value = |found: &Result<Measured, Missing>| match found {
        Ok(found) => digits(found.value),
        Err(_) => "–".to_owned(),
    };
    let names: Vec<String> =
        input.scene.layers.iter().map(|layer| say!("layer {layer}", layer = layer.layer)).collect();
    let first = [say!("loss"), say!("formula"), say!("even use")];
    let head: Vec<&str> = first.iter().map(|name| &**name).chain(names.iter().map(String::as_str)).collect();
    let rows = selected.iter().enumerate().map(|(at, (loss, found))| {
        let even = losses::at_balance(&input.scene, loss).map_or("–".to_owned(), digits);
        let values = layers.iter().map(|of_layer| value(&of_layer[at].1));
        let name = match found {
            Ok(_) => tongue::translated(loss.title).into_owned(),
            Err(missing) => {
                let [loss, missing] = [loss.title, missing.says()].map(tongue::translated);
                say!("{loss}: {missing}", loss, missing)
            }
        };
        [name, loss.formula.replace(['{', '}'], ""), even].into_iter().chain(values).collect()
    });
    let experts: Vec<String> = (0..input.scene.num_experts()).map(|expert| format!("E{expert}")).collect();
    let first = [say!("loss"), say!("number")];
    let of_experts: Vec<&str> = first.iter().map(|name| &**name).chain(experts.iter().map(String::as_str)).collect();
    let parts = selected.iter().filter_map(|(loss, found)| {
        let terms = found.as_ref().ok()?.terms.as_ref()?;
        let values = terms.values.iter().map(|&value| digits(value));
        let names = [loss.title, terms.what].map(|text| tongue::translated(text).into_owned());
        Some(names.into_iter().chain(values).collect())
    });
    html! {
        <>
            { table(&say!("Auxiliary losses of each layer"), &head, rows) }
            { table(&say!("What belongs to each expert of layer {layer}", layer = input.layer().layer), &of_experts, parts) }
        </>
    }
}
