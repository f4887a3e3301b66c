//! A paper with its address, and where in it: `Zoph et al. 2022, arXiv:2202.08906, eq. 5`.

use moe_router::rule::Citation;
use yew::prelude::*;

use crate::words::tongue;

/// `place`: "eq. 5".
pub fn citation(pieces: impl IntoIterator<Item = Citation>, place: Option<&'static str>) -> Html {
    let piece = |piece: Citation| match piece {
        Citation::Text(text) => html! { { text } },
        Citation::Arxiv(number) => {
            let address = format!("https://arxiv.org/abs/{number}");
            html! { <a href={address} target="_blank" rel="noopener">{ "arXiv:" }{ number }</a> }
        }
    };
    html! {
        <>
            { for pieces.into_iter().map(piece) }
            if let Some(place) = place {
                { ", " }{ tongue::translated(place) }
            }
        </>
    }
}
