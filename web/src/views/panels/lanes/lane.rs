//! One expert's lane: its slots, the line that marks capacity, and the requests beyond it that were turned away.

use moe_trace::Assignment;
use yew::prelude::*;

use crate::run::scene::{Lane, Scene, SceneLayer};
use crate::run::text::{inline, visible};
use crate::state::Action;
use crate::views::parts::glyph::Mark;
use crate::views::parts::ramp::ramp;
use crate::words::numbers::count as counted;

/// The one shade of requests that no gate was read for.
const UNREAD: usize = 3;

/// How a lane is drawn.
pub struct LaneView<'a> {
    pub scene: &'a Scene,
    pub layer: &'a SceneLayer,
    pub lane: Lane<'a>,
    /// Slots per expert; `None` without a limit.
    pub capacity: Option<usize>,
    /// Slots of the widest lane.
    pub width: usize,
    pub selected_token: usize,
    pub is_selected: bool,
    /// Of all lanes one is a stop of the Tab key; `[` and `]` go on from there.
    pub is_tab_stop: bool,
    pub dispatch: &'a Callback<Action>,
}

pub fn lane(of: &LaneView) -> Html {
    let expert = of.lane.expert.index();
    let choose = {
        let (dispatch, expert) = (of.dispatch.clone(), (!of.is_selected).then_some(expert));
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(expert)))
    };
    let (kept, demand) = (of.lane.kept.len(), of.lane.demand());
    let free = of.width.saturating_sub(kept);
    let is_full = of.capacity == Some(kept);
    let count = of.capacity.map_or(kept.to_string(), |capacity| format!("{kept}/{capacity}"));
    let label = match of.capacity {
        _ if of.layer.experts_take() => format!("Expert {expert}: picks {}", counted(demand, "token", "tokens")),
        Some(capacity) => {
            let (requests, slots) = (counted(demand, "request", "requests"), counted(capacity, "slot", "slots"));
            format!("Expert {expert}: {requests}, {slots}, {} turned away", demand - kept)
        }
        None => format!("Expert {expert}: {}, no limit", counted(demand, "request", "requests")),
    };
    let class = classes!(
        "lane",
        of.is_selected.then_some("is-selected"),
        (demand == 0).then_some("is-idle"),
        is_full.then_some("is-full"),
    );
    html! {
        <div key={expert} {class} role="group" aria-label={label}>
            <button type="button" class="lane-name" data-grid="lanes" tabindex={if of.is_tab_stop { "0" } else { "-1" }}
                aria-pressed={of.is_selected.to_string()} onclick={choose}>
                { format!("E{expert}") }
            </button>
            <div class={classes!("slots", (of.width > 12).then_some("is-dense"))}>
                { for of.lane.kept.iter().map(|request| slot(of, request)) }
                { for (0..free).map(|_| html! { <span class="slot is-free" aria-hidden="true" /> }) }
            </div>
            <span class="door" aria-hidden="true" />
            <div class={classes!("queue", (of.lane.lost.len() > 2).then_some("is-dense"))}>{ for of.lane.lost.iter().map(|request| slot(of, request)) }</div>
            <span class="lane-count">
                { count }
                if demand > kept {
                    <b>{ format!("+{}", demand - kept) }</b>
                } else if demand == 0 {
                    <small>{ "idle" }</small>
                }
            </span>
        </div>
    }
}

fn slot(of: &LaneView, request: &Assignment) -> Html {
    let token = request.token as usize;
    let mark = Mark::of(request, of.layer.fate(token));
    // A blank that stands alone is a token too.
    let text = of.scene.token_text(token);
    let text = if text.trim_start().is_empty() { text } else { text.trim_start() };
    let choose = {
        let (dispatch, expert) = (of.dispatch.clone(), Some(request.expert.index()));
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert }))
    };
    let is_selected = token == of.selected_token;
    let class = classes!(
        "slot",
        mark.class(),
        format!("r{}", of.layer.reading().share(request.weight_raw).map_or(UNREAD, ramp)),
        is_selected.then_some("is-selected")
    );
    let title = format!(
        "Token {token} “{}”, choice {}, {}; {}",
        inline(text),
        request.rank + 1,
        of.layer.reading().described(request.weight_raw),
        mark.name(),
    );
    html! {
        <button type="button" key={token} {class} data-view="slot" tabindex="-1" aria-label={title.clone()} {title} onclick={choose}>
            <span dir="auto">{ visible(text) }</span>
        </button>
    }
}
