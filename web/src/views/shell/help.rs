//! The keyboard map and the glossary, beside the page rather than over it.

use yew::prelude::*;

use crate::state::Action;
use crate::state::keyboard::MAP;
use crate::views::parts::term::meaning;
use crate::words::{glossary, tongue};

/// `no_letter_keys`: are keys that type a character left alone?
pub fn help(no_letter_keys: bool, dispatch: &Callback<Action>) -> Html {
    let switch = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: Event| dispatch.emit(Action::SetLetterKeys(no_letter_keys)))
    };
    let close = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::CloseHelp))
    };
    html! {
        <aside class="help" aria-label={say!("Keyboard")}>
            <header><h2 class="topic">{ say!("Keyboard") }</h2>
                <button type="button" class="quiet" aria-label={say!("Close")} onclick={close}>{ "×" }</button></header>
            <dl>
                { for MAP.iter().map(|(keys, what)| html! {
                    <div><dt>{ for keys.split(' ').map(|key| html! { <kbd>{ key }</kbd> }) }</dt><dd>{ tongue::translated(what) }</dd></div>
                }) }
            </dl>
            <label class="check">
                <input type="checkbox" checked={!no_letter_keys} onchange={switch} />
                { say!("Letters and signs move through the figure") }
            </label>
            <details class="glossary">
                <summary>{ say!("Words") }</summary>
                <ul>{ for glossary::ALL.iter().map(|of| html! { <li>{ meaning(of) }</li> }) }</ul>
            </details>
        </aside>
    }
}
