//! What a mixing rule blends: dispatch and combine weights of slots, shares of merged experts, weights of outputs. All of
//! them are `moe-router`'s.

use std::borrow::Cow;
use std::fmt::Write;

use moe_router::rule::Family;
use moe_trace::Mixing;
use yew::prelude::*;

use crate::run::scene::Group;
use crate::run::text::inline;
use crate::views::panel::PanelInput;
use crate::views::parts::column_words::COLUMN;
use crate::views::parts::ramp::{RAMP, ramp};
use crate::views::parts::sized::bar;
use crate::views::parts::table::table;
use crate::words::numbers::percent;

/// Height of a row.
const ROW: usize = 14;

pub fn shares(family: Family, group: &Group, mixing: &Mixing, selected: usize) -> Html {
    let selected = selected.checked_sub(group.first).filter(|&token| token < group.num_tokens);
    match mixing {
        Mixing::Slots { num_experts, slots_per_expert, dispatch, combine, .. } => {
            let width = (num_experts * slots_per_expert) as usize;
            let name = |slot: usize| slot_name(slot, *slots_per_expert as usize);
            html! {
                <>
                    { matrix(say!("Dispatch: what each slot is made of. Every row sums to 1."), dispatch, width, name, selected) }
                    { matrix(say!("Combine: whose output each token gets. Every column sums to 1."), combine, width, name, selected) }
                </>
            }
        }
        Mixing::Outputs { num_experts, weights, .. } => {
            let caption = match family {
                Family::SharedExperts => say!(
                    "A lane for each shared expert: every token uses it, multiplied with this, beside its routed ones."
                ),
                _ => say!("What each expert's output is multiplied with, token by token."),
            };
            matrix(caption, weights, *num_experts as usize, |expert| format!("E{expert}"), selected)
        }
        Mixing::Merged { num_experts, shares, row_of } => merged(*num_experts as usize, shares, row_of, selected),
    }
}

/// `E3`, and `E3·1` where an expert has several slots.
fn slot_name(slot: usize, per_expert: usize) -> String {
    match per_expert {
        1 => format!("E{slot}"),
        _ => format!("E{}·{}", slot / per_expert, slot % per_expert),
    }
}

/// Tokens to the right, slots or experts downwards. The strongest is the largest weight of all.
fn matrix(
    caption: Cow<'static, str>,
    weights: &[f32],
    num_rows: usize,
    name: impl Fn(usize) -> String,
    selected: Option<usize>,
) -> Html {
    let largest = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let num_tokens = weights.len() / num_rows.max(1);
    let mut paths = <[String; RAMP]>::default();
    for (at, &weight) in weights.iter().enumerate() {
        let (x, y) = (at / num_rows * COLUMN, at % num_rows * ROW);
        // Writing to a string cannot fail.
        let _ = write!(paths[ramp(weight / largest)], "M{x} {y}h{}v{}h-{}z", COLUMN - 1, ROW - 1, COLUMN - 1);
    }
    let (width, height) = (num_tokens * COLUMN, num_rows * ROW);
    html! {
        <figure class="shares">
            <figcaption>{ caption.clone() }{ " " }<span class="fine">{ say!("Strongest: {share}.", share = percent(largest)) }</span></figcaption>
            <div class="roll" tabindex="0" role="group" aria-label={caption}>
                <ol aria-hidden="true">{ for (0..num_rows).map(|row| html! { <li>{ name(row) }</li> }) }</ol>
                <svg width={width.to_string()} height={height.to_string()} aria-hidden="true">
                    { for paths.into_iter().enumerate().filter(|(_, path)| !path.is_empty()).map(|(level, d)| html! {
                        <path class={format!("cell-{level}")} {d} />
                    }) }
                    if let Some(token) = selected {
                        <rect class="chosen-column" x={(token * COLUMN).to_string()} y="0" width={(COLUMN - 1).to_string()}
                            height={height.to_string()} />
                    }
                </svg>
            </div>
        </figure>
    }
}

/// The shares of each merged expert, and the tokens that use it.
fn merged(num_experts: usize, shares: &[f32], row_of: &[Option<u32>], selected: Option<usize>) -> Html {
    let used = selected.and_then(|token| row_of.get(token).copied().flatten());
    let rows = shares.chunks(num_experts.max(1)).enumerate().map(|(row, shares)| {
        let users = row_of.iter().filter(|of| **of == Some(row as u32)).count();
        let is_used = used == Some(row as u32);
        html! {
            <figure class={classes!("merged", is_used.then_some("is-used"))}>
                <figcaption>
                    { say!("Merged expert {number}, used by {users} of {tokens} tokens", number = row + 1, users, tokens = row_of.len()) }
                </figcaption>
                <ul class="expert-bars">
                    { for shares.iter().enumerate().map(|(expert, &share)| html! {
                        <li><b>{ format!("E{expert}") }</b>{ bar(share) }<span>{ percent(share) }</span></li>
                    }) }
                </ul>
            </figure>
        }
    });
    html! { <div class="merged-rows">{ for rows }</div> }
}

pub fn as_table(input: &PanelInput, group: &Group, mixing: &Mixing) -> Html {
    let name = |token: usize| inline(input.scene.token_text(group.first + token));
    let cells = |row: &[f32]| row.iter().map(|&share| percent(share)).collect::<Vec<_>>();
    let of_tokens = |caption: &str, weights: &[f32], num_columns: usize, column: &dyn Fn(usize) -> String| {
        let mut head = vec![say!("token").into_owned()];
        head.extend((0..num_columns).map(column));
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let rows = weights.chunks(num_columns.max(1)).enumerate().map(|(token, row)| {
            let mut texts = vec![name(token)];
            texts.extend(cells(row));
            texts
        });
        table(caption, &head, rows)
    };
    match mixing {
        Mixing::Slots { num_experts, slots_per_expert, dispatch, combine, .. } => {
            let (width, per_expert) = ((num_experts * slots_per_expert) as usize, *slots_per_expert as usize);
            let column = |slot: usize| slot_name(slot, per_expert);
            html! {
                <>
                    { of_tokens(&say!("Dispatch: a token's share of each slot's input"), dispatch, width, &column) }
                    { of_tokens(&say!("Combine: a slot's share of each token's output"), combine, width, &column) }
                </>
            }
        }
        Mixing::Outputs { num_experts, weights, .. } => {
            of_tokens(&say!("Weight of each expert's output"), weights, *num_experts as usize, &|expert| {
                format!("E{expert}")
            })
        }
        Mixing::Merged { num_experts, shares, .. } => {
            let mut head = vec![say!("merged expert").into_owned()];
            head.extend((0..*num_experts).map(|expert| format!("E{expert}")));
            let head: Vec<&str> = head.iter().map(String::as_str).collect();
            let rows = shares.chunks(*num_experts as usize).enumerate().map(|(row, shares)| {
                let mut texts = vec![(row + 1).to_string()];
                texts.extend(cells(shares));
                texts
            });
            table(&say!("Shares of the experts in each merged one"), &head, rows)
        }
    }
}
