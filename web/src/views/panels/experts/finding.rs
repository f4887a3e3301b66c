//! Finding of an expert: its speciality with the numbers of both halves, or that it has none that holds.

use std::borrow::Cow;

use crate::run::experts::{Association, Expert, Experts, LIFT};
use crate::run::text::quoted;
use crate::words::numbers::digits;
use crate::words::tongue;

pub fn finding(experts: &Experts, expert: usize) -> String {
    let name = say!("Expert {expert} of layer {layer}", expert, layer = experts.name);
    let of_expert = &experts.experts[expert];
    let asked = many!(of_expert.asked, "{n} token", "{n} tokens");
    if !experts.sample.is_enough() {
        let read = many!(experts.sample.num_tokens(), "{n} token", "{n} tokens");
        return say!(
            "{name} was asked by {asked} of {read}: too little text to call anything a speciality",
            name,
            asked,
            read,
        );
    }
    if let Some(holds) = of_expert.specialities().next() {
        return say!(
            "{name} is asked by {what} {times} as often as by chance ({part}), and again in the second half ({again}, {part_again})",
            name,
            what = said(of_expert.kinds.contains(holds), holds),
            times = times(holds.first.lift()),
            part = part(holds.first.both, holds.first.of_key),
            again = times(holds.second.lift()),
            part_again = part(holds.second.both, holds.second.of_key),
        );
    }
    let (tokens, kinds) = experts.tried;
    if tokens + kinds == 0 {
        return say!(
            "{name} was asked by {asked}; no token stands often enough in both halves to be tried",
            name,
            asked,
        );
    }
    match of_expert.tokens.iter().chain(&of_expert.kinds).find(|it| it.is_found()) {
        Some(found) => say!(
            "{name} has no clear speciality: {what} seemed one in the first half ({times}), and is not in the second ({again})",
            name,
            what = said(of_expert.kinds.contains(found), found),
            times = times(found.first.lift()),
            again = times(found.second.lift()),
        ),
        None => match of_expert.tokens.first() {
            Some(clearest) => nearest(&name, clearest),
            None => say!("{name} has no clear speciality", name),
        },
    }
}

/// How near the clearest came.
fn nearest(name: &str, clearest: &Association) -> String {
    let short = match clearest.first.lift() < LIFT {
        true => say!("less than {times}", times = times(LIFT)),
        false => say!("false-discovery rate {rate}", rate = rate(clearest.rate)),
    };
    say!(
        "{name} has no clear speciality: the clearest token, {token}, asks it {times} as often as by chance ({short})",
        name,
        token = quoted(&clearest.words),
        times = times(clearest.first.lift()),
        short,
    )
}

/// A token's text, or the name of a kind of text.
pub fn words_of<'a>(expert: &Expert, association: &'a Association) -> Cow<'a, str> {
    match expert.kinds.contains(association) {
        true => tongue::translated(&association.words),
        false => Cow::Borrowed(&association.words),
    }
}

/// A token by its text, a kind of text by its name.
fn said(is_kind: bool, association: &Association) -> String {
    match is_kind {
        true => say!("{kind} text", kind = tongue::translated(&association.words)),
        false => quoted(&association.words),
    }
}

/// `2.4×`.
pub fn times(lift: f64) -> String {
    format!("{lift:.1}×")
}

pub fn part(number: usize, of: usize) -> String {
    say!("{number} of {of}", number, of)
}

/// `0.013`, and `<0.001` where three digits would say none.
pub fn rate(rate: f64) -> String {
    match rate {
        small if small < 0.0005 => "<0.001".to_owned(),
        large if large > 0.9995 => "1".to_owned(),
        other => digits((other * 1000.0).round() / 1000.0),
    }
}
