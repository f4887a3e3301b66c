//! What this is, and where more of it is: below everything else.

use std::borrow::Cow;

use yew::prelude::*;

const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");

pub fn about() -> Html {
    let link = |place: &str, words: Cow<'static, str>| {
        html! { <a href={format!("{SOURCE}{place}")} target="_blank" rel="noopener">{ words }</a> }
    };
    html! {
        <p class="about">
            <span>{ concat!("MoE Playground ", env!("CARGO_PKG_VERSION")) }</span>
            { link("/tree/main/docs", say!("Documentation")) }
            { link("", say!("Source code")) }
            { link("/blob/main/www/packages/moe-playground/LICENSE", say!("Licence: MIT or Apache 2.0")) }
        </p>
    }
}
