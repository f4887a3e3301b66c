//! Adapters beside the page's model: what is trained, by which method, and what came of it.

use std::borrow::Cow;

use moe_trace::MixerSpec;
use moe_trace::adapting::{AdaptLook, AdaptStart};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::{adapter_losses, adapter_routes, asks};
use crate::browser::files;
use crate::run::adapting::Adapting;
use crate::state::Action;
use crate::state::lab::{AdapterWish, ChosenFile, Lab, MOST_BYTES, Wish};
use crate::views::parts::table::table;
use crate::words::numbers::parameters;
use crate::words::tongue;

/// The rules that adapt here, by the words of their options.
const RULES: [(MixerSpec, &str, &str); 3] = [
    (MixerSpec::Molora { k: None }, "molora", marked!("MoLoRA: LoRA experts")),
    (MixerSpec::Mov, "mov", marked!("MoV: vectors that scale")),
    (MixerSpec::Loramoe, "loramoe", marked!("LoRAMoE: LoRA experts of two kinds")),
];

pub fn adapters(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let adapters = &lab.adapters;
    html! {
        <details class="lab-adapters">
            <summary>{ say!("Adapt the page's model to your own text") }</summary>
            <p class="lab-question">{ say!(
                "The model is frozen. Beside each layer's feed-forward stand a few small experts, and a gate that blends \
                 them for each token: only these learn, and at first they change nothing."
            ) }</p>
            { setup(lab, dispatch) }
            if let Some(error) = &adapters.problem {
                <p class="lab-problem" role="alert">{ say!("{what} {why} {try_this}", what = error.what, why = error.why, try_this = error.try_this) }</p>
            }
            if let Some(current) = &adapters.current {
                { facts(current) }
                { adapter_losses::losses(current) }
                { adapter_routes::loads(current) }
                { for current.look.as_ref().map(|look| adapter_routes::probe(current, look, dispatch)) }
            }
        </details>
    }
}

fn setup(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let recipe = &lab.adapters.recipe;
    let on_rule = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            let word = field.value();
            if let Some((rule, ..)) = RULES.iter().find(|(_, of, _)| *of == word) {
                dispatch.emit(Action::Lab(Wish::Adapt(AdapterWish::Rule(*rule))));
            }
        })
    };
    let number = |name: Cow<'static, str>, value: f32, step: &'static str, wish: fn(f32) -> AdapterWish| {
        let dispatch = dispatch.clone();
        let on_change = Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            let value = field.value_as_number() as f32;
            if value.is_finite() {
                dispatch.emit(Action::Lab(Wish::Adapt(wish(value))));
            }
        });
        html! {
            <label class="control lab-seed">
                <span class="control-name">{ name }</span>
                <input type="number" min="0" {step} value={value.to_string()} onchange={on_change} />
            </label>
        }
    };
    let text = |name: Cow<'static, str>, value: &str, wish: fn(String) -> Wish| {
        let dispatch = dispatch.clone();
        let on_input = Callback::from(move |event: InputEvent| {
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            dispatch.emit(Action::Lab(wish(field.value())));
        });
        html! {
            <label class="lab-own">
                <span class="control-name">{ name }</span>
                <textarea rows="4" value={value.to_owned()} oninput={on_input} />
            </label>
        }
    };
    html! {
        <>
            <div class="controls">
                <label class="control">
                    <span class="control-name">{ say!("Method") }</span>
                    <select onchange={on_rule}>
                        { for RULES.iter().map(|&(rule, word, title)| html! {
                            <option value={word} selected={rule == recipe.rule}>{ tongue::translated(title) }</option>
                        }) }
                    </select>
                </label>
                { number(say!("Adapters"), recipe.num_adapters as f32, "1", |value| AdapterWish::Count(value as u32)) }
                if recipe.rule != MixerSpec::Mov {
                    { number(say!("Rank"), recipe.rank as f32, "1", |value| AdapterWish::Rank(value as u32)) }
                }
                if recipe.rule == MixerSpec::Loramoe {
                    { number(say!("Localised balance loss ×"), recipe.balance, "any", AdapterWish::Balance) }
                }
            </div>
            { text(say!("Text for the adapters, at least a few thousand letters; it stays on this machine"), &lab.own_text, Wish::OwnText) }
            if recipe.rule == MixerSpec::Loramoe {
                { text(say!("Text to remember, of another kind: half of the adapters are for it"), &lab.adapters.remembered,
                    |text| Wish::Adapt(AdapterWish::Remembered(text))) }
            }
            { buttons(lab, dispatch) }
        </>
    }
}

fn buttons(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let adapters = &lab.adapters;
    let button = |words: Cow<'static, str>, wish: AdapterWish, title: Cow<'static, str>| {
        html! { <button type="button" class="lab-button" {title} onclick={asks(dispatch, Wish::Adapt(wish))}>{ words }</button> }
    };
    let looked_at = adapters.current.as_ref().and_then(|current| current.look.as_ref()).map(|look| look.num_steps);
    let steps = looked_at.map(|steps| many!(steps, "{n} step", "{n} steps")).unwrap_or_default();
    let kept = say!(
        "A small file to open here again and to share: the adapters and the hash of their model, without your text"
    );
    html! {
        <div class="lab-buttons lab-adapter-buttons">
            { button(say!("Train adapters"), AdapterWish::Start, say!("New adapters, that have learned nothing, on this text")) }
            if adapters.current.is_some() {
                if adapters.is_lost {
                    { button(say!("Take them up after {steps}", steps).into(), AdapterWish::Revive, say!("In another worker; the optimiser begins anew")) }
                } else if adapters.is_running() {
                    { button(say!("Rest"), AdapterWish::Pause, say!("Rest after the step in progress")) }
                } else {
                    { button(say!("Learn on"), AdapterWish::Resume, say!("Until they are to rest")) }
                    { button(say!("Ten steps"), AdapterWish::Step(10), say!("Ten steps, then rest")) }
                }
                { button(say!("Keep adapters after {steps}", steps).into(), AdapterWish::Save, kept) }
                { button(say!("Forget adapters"), AdapterWish::Stop, say!("And free their memory")) }
            }
            { open(dispatch) }
            if adapters.coming.is_some() {
                <span class="lab-rest">{ say!("reading the model") }</span>
            }
        </div>
    }
}

/// A file of adapters that was saved, to go on from with the text that is there.
fn open(dispatch: &Callback<Action>) -> Html {
    let on_change = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            let dispatch = dispatch.clone();
            files::read(&field, MOST_BYTES, move |found| {
                for (name, bytes) in found.into_iter().take(1) {
                    let file = ChosenFile { name, bytes: bytes.map(Into::into) };
                    dispatch.emit(Action::Lab(Wish::Adapt(AdapterWish::Open(file))));
                }
            });
        })
    };
    html! {
        <label class="lab-button lab-open-adapters" title={say!("Adapters that were kept here; they go on learning the text above")}>
            { say!("Open adapters…") }
            <input type="file" accept=".safetensors" onchange={on_change} />
        </label>
    }
}

fn facts(current: &Adapting) -> Html {
    let fact = |(name, value): (Cow<'static, str>, String)| html! { <li><span>{ name }</span><b>{ value }</b></li> };
    html! { <ul class="stats lab-facts lab-adapter-facts">{ for facts_of(current).into_iter().map(fact) }</ul> }
}

pub fn as_table(current: &Adapting) -> Html {
    let facts = facts_of(current).into_iter().map(|(name, value)| vec![name.into_owned(), value]);
    html! { <>{ table(&say!("Adapters beside the page's model"), &["", ""], facts) }{ adapter_losses::as_table(current) }</> }
}

/// What there is to know of them, by name.
fn facts_of(current: &Adapting) -> Vec<(Cow<'static, str>, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: Cow<'static, str>, value: String| facts.push((name, value));
    if let Some(AdaptStart { num_trained, num_frozen, model, .. }) = &current.start {
        let share = f64::from(*num_trained) / f64::from(*num_frozen) * 100.0;
        fact(say!("numbers trained"), num_trained.to_string());
        let frozen = say!("of the model {model}, frozen", model);
        fact(frozen.into(), format!("{} ({share:.2} %)", parameters(*num_frozen)));
    }
    if let Some(name) = &current.name {
        fact(say!("opened from"), name.clone());
    }
    fact(say!("steps"), current.num_steps().to_string());
    if let Some(loss) = current.latest_loss() {
        fact(say!("loss of the latest batches, nats per token"), format!("{loss:.3}"));
    }
    if let Some(balance) = current.latest_balance() {
        fact(say!("localised balance loss"), format!("{balance:.3}"));
    }
    let held_out = current.look.iter().flat_map(|look| held_out(look));
    held_out.for_each(|(name, value)| fact(name, value));
    if let Some(speed) = current.tokens_per_second() {
        fact(say!("tokens a second"), format!("{speed:.0}"));
    }
    facts
}

/// Of held-out text: the loss of the frozen model, and with its adapters.
fn held_out(look: &AdaptLook) -> impl Iterator<Item = (Cow<'static, str>, String)> {
    let names = [say!("held-out loss before and after, nats per token"), say!("the same of the text to remember")];
    look.held_out.iter().zip(names).map(|(nats, name)| {
        let change = nats.after - nats.before;
        (name, format!("{:.3} → {:.3} ({change:+.3})", nats.before, nats.after))
    })
}
