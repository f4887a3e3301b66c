//! The drawing: residual stream from above to below, attention and experts beside it, the selected token's way marked.

use std::borrow::Cow;

use moe_trace::Assignment;
use yew::prelude::*;

use crate::run::block::Block;
use crate::run::text::short;
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::words::names;
use crate::words::numbers::digits;

const WIDTH: usize = 320;
/// Where the residual stream runs.
const STREAM: usize = 26;
const LEFT: usize = 64;
const RIGHT: usize = 312;
/// Experts of a row; of more than two rows the last box says how many more there are.
const PER_ROW: usize = 8;
const MAX_DRAWN: usize = 16;
/// Of more experts than these only their number is written.
const MAX_NAMED: usize = 6;
const EXPERTS_TOP: usize = 206;
const ROW: usize = 44;

pub fn drawing(input: &PanelInput) -> Html {
    let (layer, token) = (input.layer(), input.selection.token);
    let block = Block::of(&input.scene);
    let requests = layer.of_token(token);
    let num_experts = layer.num_experts;
    let is_cut = num_experts > MAX_DRAWN;
    let num_boxes = num_experts.min(MAX_DRAWN);
    let num_rows = num_boxes.div_euclid(PER_ROW) + usize::from(!num_boxes.is_multiple_of(PER_ROW));
    let below = EXPERTS_TOP + num_rows * ROW;
    let shared_room = if block.has_shared { 38 } else { 0 };
    let sum_at = below + shared_room + 22;
    let height = sum_at + 34;
    let boxes = (0..num_boxes).map(|number| {
        let (x, y) = (LEFT + number % PER_ROW * 31, EXPERTS_TOP + number / PER_ROW * ROW);
        if is_cut && number + 1 == num_boxes {
            let more = num_experts + 1 - num_boxes;
            return html! { <text class="label" x={(x + 1).to_string()} y={(y + 16).to_string()}>{ format!("+{more}") }</text> };
        }
        expert(input, requests, number, (x, y))
    });
    let text = short(input.scene.token_text(token));
    let asked: Vec<String> = requests.iter().map(|request| request.expert.to_string()).collect();
    let asked = match (asked.is_empty(), layer.experts_take()) {
        (true, _) => say!("no expert").into_owned(),
        (false, true) if asked.len() > MAX_NAMED => say!("taken by {number} experts", number = asked.len()),
        (false, false) if asked.len() > MAX_NAMED => say!("asks {number} experts", number = asked.len()),
        (false, true) => say!("taken by {experts}", experts = names::listed(asked)),
        (false, false) => say!("asks {experts}", experts = names::listed(asked)),
    };
    let words = say!(
        "One layer: norm and attention, added to the residual; then norm, gate and {num_experts} experts, added to the \
         residual. Token {token} {text}: {asked}.",
        num_experts,
        token,
        text,
        asked,
    );
    let part = |x: usize, y: usize, width: usize, name: Cow<'static, str>| {
        html! {
            <>
                <rect class="part" x={x.to_string()} y={y.to_string()} width={width.to_string()} height="26" rx="3" />
                <text class="name" x={(x + width / 2).to_string()} y={(y + 17).to_string()}>{ name }</text>
            </>
        }
    };
    let plus = |y: usize| {
        let (from, to, up, down) = (STREAM - 4, STREAM + 4, y - 4, y + 4);
        html! {
            <>
                <circle class="part" cx={STREAM.to_string()} cy={y.to_string()} r="8" />
                <path class="way" d={format!("M{from} {y}H{to}M{STREAM} {up}V{down}")} />
            </>
        }
    };
    let gate_row = 138;
    // Both branches leave the stream and come back to it.
    let ways = format!(
        "M{STREAM} 24V{height}M{STREAM} 49H{LEFT}M120 49H140M226 62V92H{STREAM}M{STREAM} {mid}H{LEFT}M120 {mid}H140\
         M226 {after}V{EXPERTS_TOP}M{RIGHT} {below}V{sum_at}H{STREAM}M{LEFT} {below}H{RIGHT}",
        mid = gate_row + 13,
        after = gate_row + 26,
    );
    html! {
        <svg class="block-drawing" viewBox={format!("0 0 {WIDTH} {height}")} role="img" aria-label={words}>
            <path class="way" d={ways} />
            <text class="token-name" x="4" y="16">{ format!("{text} #{token}") }</text>
            { part(LEFT, 36, 56, say!("norm")) }
            { part(140, 36, 172, say!("attention")) }
            { plus(92) }
            { part(LEFT, gate_row, 56, say!("norm")) }
            { part(140, gate_row, 172, say!("gate")) }
            <text class="label is-end" x={RIGHT.to_string()} y={(EXPERTS_TOP - 14).to_string()}>{ asked }</text>
            { for boxes }
            if block.has_shared {
                { part(LEFT, below + 6, RIGHT - LEFT, say!("shared experts: for every token")) }
            }
            { plus(sum_at) }
            <text class="label" x={(STREAM + 14).to_string()} y={(height - 6).to_string()}>{ say!("to the next layer") }</text>
        </svg>
    }
}

/// An expert's box, with its weight below where the token is served.
fn expert(input: &PanelInput, requests: &[Assignment], expert: usize, (x, y): (usize, usize)) -> Html {
    let request = requests.iter().find(|request| request.expert.index() == expert);
    let dispatch = input.dispatch.clone();
    let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(expert))));
    let class = classes!(
        "expert",
        request.map(|request| if request.fate.is_kept() { "is-served" } else { "is-lost" }),
        (input.selection.expert == Some(expert)).then_some("is-selected"),
    );
    let fate = request.map_or_else(|| say!("not asked").to_string(), |request| names::fate(request.fate).to_string());
    let weight = request
        .filter(|request| request.fate.is_kept())
        .map(|request| digits((f64::from(request.weight) * 100.0).round() / 100.0));
    html! {
        <g key={expert} {class} {onclick}>
            <title>{ say!("Expert {expert}: {fate}", expert, fate) }</title>
            <rect x={x.to_string()} y={y.to_string()} width="27" height="24" rx="3" />
            <text class="name" x={(x + 13).to_string()} y={(y + 16).to_string()}>{ expert }</text>
            <text class="label is-middle" x={(x + 13).to_string()} y={(y + 37).to_string()}>{ weight }</text>
        </g>
    }
}
