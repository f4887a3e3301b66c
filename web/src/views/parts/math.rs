//! A formula that is written as text, `E · Σ_e f_e · P_e`, drawn as MathML.
//!
//! Letters that stand together are one name. `_e` is an index, and so is `_{t,e}`; `²` is a power, `{a}/{b}` a fraction.

use std::iter::Peekable;
use std::str::Chars;

use yew::prelude::*;

use crate::browser::letters::is_letter;

/// The formula; read out it is the text.
pub fn math(text: &str) -> Html {
    let alttext = text.replace(['{', '}', '_'], "");
    html! { <math {alttext}>{ row(&mut text.chars().peekable()) }</math> }
}

/// Words among which are names with an index: `f_e share of first choices`.
pub fn words(text: &str) -> Html {
    let mut pieces = text.split('_');
    let first = pieces.next().unwrap_or_default();
    let piece = |piece: &str| {
        let braced = piece.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let ends = piece.chars().next().map_or(0, char::len_utf8);
        let (index, rest) = braced.unwrap_or_else(|| piece.split_at(ends));
        html! { <><sub>{ index.to_owned() }</sub>{ rest.to_owned() }</> }
    };
    html! { <>{ first.to_owned() }{ for pieces.map(piece) }</> }
}

/// Up to the end, or to the brace that closes it.
fn row(rest: &mut Peekable<Chars>) -> Html {
    let mut atoms = Vec::new();
    // Between names, and between a name and a fraction, stands a gap.
    let mut follows_name = false;
    while let Some(&next) = rest.peek() {
        match next {
            '}' => {
                rest.next();
                break;
            }
            ' ' => {
                rest.next();
                if follows_name && rest.peek().is_some_and(|&c| is_letter(c) || c == '{') {
                    atoms.push(html! { <mspace width="0.25em" /> });
                }
            }
            _ => {
                follows_name = (is_letter(next) && next != 'Σ') || next == '{';
                atoms.push(with_index(rest));
            }
        }
    }
    html! { <mrow>{ for atoms }</mrow> }
}

/// An atom with its index and its power.
fn with_index(rest: &mut Peekable<Chars>) -> Html {
    let is_sum = rest.peek() == Some(&'Σ');
    let mut found = atom(rest);
    if rest.next_if_eq(&'_').is_some() {
        let index = atom(rest);
        found = match is_sum {
            true => html! { <munder>{ found }{ index }</munder> },
            false => html! { <msub>{ found }{ index }</msub> },
        };
    }
    if rest.next_if_eq(&'²').is_some() {
        found = html! { <msup>{ found }<mn>{ "2" }</mn></msup> };
    }
    found
}

/// A name, a number, a sign, or what stands in braces.
fn atom(rest: &mut Peekable<Chars>) -> Html {
    let mut word = String::new();
    while let Some(letter) = rest.next_if(|&c| is_of_name(c, &word)) {
        word.push(letter);
    }
    if word.chars().next().is_some_and(|first| first.is_ascii_digit()) {
        return html! { <mn>{ word }</mn> };
    }
    if !word.is_empty() {
        return html! { <mi>{ word }</mi> };
    }
    match rest.next() {
        Some('{') => {
            let inner = row(rest);
            if rest.next_if_eq(&'/').is_none() {
                return inner;
            }
            let below = atom(rest);
            html! { <mfrac>{ inner }{ below }</mfrac> }
        }
        Some('Σ') => html! { <mo>{ "∑" }</mo> },
        Some(sign @ ('(' | ')' | '|' | '‖')) => html! { <mo stretchy="false">{ sign }</mo> },
        Some(sign) => html! { <mo>{ sign }</mo> },
        None => html! { <mrow /> },
    }
}

/// Does this letter go on with what was read so far? Primes and digits belong to the name before them.
fn is_of_name(c: char, so_far: &str) -> bool {
    let is_number = so_far.chars().all(|c| c.is_ascii_digit() || c == '.');
    match c {
        'Σ' | '²' => false,
        '0'..='9' => true,
        '.' => is_number && !so_far.is_empty(),
        '′' | '″' => !so_far.is_empty(),
        _ => is_letter(c) && (so_far.is_empty() || !is_number),
    }
}
