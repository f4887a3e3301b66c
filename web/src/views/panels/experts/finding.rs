//! Finding of an expert: its speciality with the numbers of both halves, or that it has none that holds.

use crate::run::experts::{Association, Experts, LIFT};
use crate::run::text::quoted;
use crate::words::numbers::{count, digits};

pub fn finding(experts: &Experts, expert: usize) -> String {
    let name = format!("Expert {expert} of layer {}", experts.name);
    let of_expert = &experts.experts[expert];
    let asked = count(of_expert.asked, "token", "tokens");
    if !experts.sample.is_enough() {
        let read = count(experts.sample.num_tokens(), "token", "tokens");
        return format!("{name} was asked by {asked} of {read}: too little text to call anything a speciality");
    }
    if let Some(holds) = of_expert.specialities().next() {
        return format!(
            "{name} is asked by {} {} as often as by chance ({}), and again in the second half ({}, {})",
            said(of_expert.kinds.contains(holds), holds),
            times(holds.first.lift()),
            part(holds.first.both, holds.first.of_key),
            times(holds.second.lift()),
            part(holds.second.both, holds.second.of_key),
        );
    }
    let (tokens, kinds) = experts.tried;
    if tokens + kinds == 0 {
        return format!("{name} was asked by {asked}; no token stands often enough in both halves to be tried");
    }
    match of_expert.tokens.iter().chain(&of_expert.kinds).find(|it| it.is_found()) {
        Some(found) => format!(
            "{name} has no clear speciality: {} seemed one in the first half ({}), and is not in the second ({})",
            said(of_expert.kinds.contains(found), found),
            times(found.first.lift()),
            times(found.second.lift()),
        ),
        None => format!("{name} has no clear speciality{}", nearest(of_expert.tokens.first())),
    }
}

/// How near the clearest came.
fn nearest(clearest: Option<&Association>) -> String {
    let nearest = clearest.map(|it| {
        let short = match it.first.lift() < LIFT {
            true => format!("less than {}", times(LIFT)),
            false => format!("false-discovery rate {}", rate(it.rate)),
        };
        format!(
            ": the clearest token, {}, asks it {} as often as by chance ({short})",
            quoted(&it.words),
            times(it.first.lift())
        )
    });
    nearest.unwrap_or_default()
}

/// A token by its text, a kind of text by its name.
fn said(is_kind: bool, association: &Association) -> String {
    if is_kind { format!("{} text", association.words) } else { quoted(&association.words) }
}

/// `2.4×`.
pub fn times(lift: f64) -> String {
    format!("{lift:.1}×")
}

pub fn part(number: usize, of: usize) -> String {
    format!("{number} of {of}")
}

/// `0.013`, and `<0.001` where three digits would say none.
pub fn rate(rate: f64) -> String {
    match rate {
        small if small < 0.0005 => "<0.001".to_owned(),
        large if large > 0.9995 => "1".to_owned(),
        other => digits((other * 1000.0).round() / 1000.0),
    }
}
