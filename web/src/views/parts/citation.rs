//! A paper with its address, and where in it: `Zoph et al. 2022, arXiv:2202.08906, eq. 5`.

use moe_router::rule::{Citation, citations};
use yew::prelude::*;

use crate::words::tongue;

/// `place`: "eq. 5".
pub fn citation(paper: &'static str, place: Option<&'static str>) -> Html {
    let paper = tongue::translated(paper);
    let piece = |piece: Citation<'_>| match piece {
        Citation::Text(text) => html! { { text.to_owned() } },
        Citation::Arxiv(number) => {
            let address = format!("https://arxiv.org/abs/{number}");
            html! { <a href={address} target="_blank" rel="noopener">{ format!("arXiv:{number}") }</a> }
        }
    };
    html! {
        <>
            { for citations(&paper).map(piece) }
            if let Some(place) = place {
                { ", " }{ tongue::translated(place) }
            }
        </>
    }
}
