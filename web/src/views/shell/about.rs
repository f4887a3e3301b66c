//! What this is, and where more of it is: below everything else.

use yew::prelude::*;

const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");

pub fn about() -> Html {
    let link = |place: &str, words: &'static str| {
        html! { <a href={format!("{SOURCE}{place}")} target="_blank" rel="noopener">{ words }</a> }
    };
    html! {
        <p class="about">
            <span>{ concat!("MoE Playground ", env!("CARGO_PKG_VERSION")) }</span>
            { link("/tree/main/docs", "Documentation") }
            { link("", "Source code") }
            { link("/blob/main/www/packages/moe-playground/LICENSE", "Licence: MIT or Apache 2.0") }
        </p>
    }
}
