//! Whom the gates of adapters ask: over the latest batches, and for each token of a probe.

use moe_trace::adapting::AdaptLook;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::run::adapting::Adapting;
use crate::run::text::visible;
use crate::state::Action;
use crate::state::lab::{AdapterWish, Wish};
use crate::words::numbers::percent;

/// Each adapter's share of the latest steps, layer by layer.
pub fn loads(current: &Adapting) -> Html {
    let shares = current.latest_shares();
    let Some(first) = shares.first() else { return Html::default() };
    let head = (0..first.len()).map(|adapter| {
        html! { <th scope="col" class={format!("fill-{}", adapter % 8)}>{ adapter }</th> }
    });
    let rows = shares.iter().enumerate().map(|(layer, shares)| {
        let cells = shares.iter().map(|share| html! { <td>{ percent(*share) }</td> });
        html! { <tr><th scope="row">{ say!("layer {layer}", layer) }</th>{ for cells }</tr> }
    });
    html! {
        <div class="lab-probe lab-adapter-loads" tabindex="0" role="region" aria-label={say!("Load of the adapters")}>
            <table>
                <caption>{ say!("each adapter's share of what is blended, mean over the latest ten steps") }</caption>
                <thead><tr><th scope="row">{ say!("adapter") }</th>{ for head }</tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}

/// The probe's tokens, and below each the adapter that has the largest share in it.
pub fn probe(current: &Adapting, look: &AdaptLook, dispatch: &Callback<Action>) -> Html {
    let on_change = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Lab(Wish::Adapt(AdapterWish::Probe(field.value()))));
        })
    };
    let tokens = look.probe_tokens.iter().map(|bytes| {
        html! { <td>{ visible(&String::from_utf8_lossy(bytes)) }</td> }
    });
    let rows = (0..look.probe_shares.len()).map(|layer| {
        let cells = (0..look.probe_tokens.len()).map(|token| match Adapting::asks_first(look, layer, token) {
            Some((adapter, share)) => {
                html! { <td class={format!("fill-{}", adapter % 8)} title={percent(share)}>{ adapter }</td> }
            }
            None => html! { <td>{ "–" }</td> },
        });
        html! { <tr><th scope="row">{ say!("layer {layer}", layer) }</th>{ for cells }</tr> }
    });
    html! {
        <>
            <label class="lab-own">
                <span class="control-name">{ say!("Probe") }</span>
                <input type="text" value={current.request.probe.clone()} onchange={on_change} />
            </label>
            <div class="lab-probe lab-adapter-probe" tabindex="0" role="region" aria-label={say!("Adapters of the probe")}>
                <table>
                    <caption>{ say!("the adapter that each token of the probe asks most") }</caption>
                    <tbody><tr><th scope="row">{ say!("probe") }</th>{ for tokens }</tr>{ for rows }</tbody>
                </table>
            </div>
        </>
    }
}
