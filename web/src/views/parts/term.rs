//! A word that explains itself: a tap or a key opens one sentence and where it comes from.

use yew::prelude::*;

use crate::views::parts::popup::Popup;
use crate::words::glossary::Term;
use crate::words::tongue;

/// `face`: the word as it stands in its place. `class`: of that place.
pub fn term(of: &'static Term, class: &'static str, face: Html) -> Html {
    html! {
        <Popup class={classes!("explained", class)} title={say!("What is {term}?", term = tongue::translated(of.name))} summary={face}>
            <div class="more" tabindex="-1">{ meaning(of) }</div>
        </Popup>
    }
}

/// The sentence, and its source.
pub fn meaning(of: &'static Term) -> Html {
    html! {
        <>
            <dfn>{ tongue::translated(of.name) }</dfn>
            <span>{ tongue::translated(of.meaning) }</span>
            <a href={of.source.address} target="_blank" rel="noopener">{ tongue::translated(of.source.words) }</a>
        </>
    }
}
