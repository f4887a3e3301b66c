//! One expert's lane: its slots, its door, and who waits in front of it.

use moe_trace::Assignment;
use yew::prelude::*;

use crate::run::scene::{Lane, Scene, SceneLayer};
use crate::run::text::visible;
use crate::state::Action;
use crate::views::fate_glyph::Mark;
use crate::views::matrix_stripe::ramp;

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
    pub is_stop: bool,
    pub dispatch: &'a Callback<Action>,
}

impl LaneView<'_> {
    pub fn html(&self) -> Html {
        let expert = self.lane.expert.index();
        let choose = {
            let (dispatch, expert) = (self.dispatch.clone(), (!self.is_selected).then_some(expert));
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(expert)))
        };
        let (kept, demand) = (self.lane.kept.len(), self.lane.demand());
        let free = self.width.saturating_sub(kept);
        let is_full = self.capacity == Some(kept);
        let count = self.capacity.map_or(kept.to_string(), |capacity| format!("{kept}/{capacity}"));
        let label = match self.capacity {
            _ if self.layer.experts_take() => format!("Expert {expert}: takes {demand}"),
            Some(capacity) => {
                format!("Expert {expert}: asked by {demand}, {capacity} slots, {} turned away", demand - kept)
            }
            None => format!("Expert {expert}: asked by {demand}, no limit"),
        };
        let class = classes!(
            "lane",
            self.is_selected.then_some("is-selected"),
            (demand == 0).then_some("is-idle"),
            is_full.then_some("is-full"),
        );
        html! {
            <div key={expert} {class} role="group" aria-label={label}>
                <button type="button" class="lane-name" data-grid="lanes" tabindex={if self.is_stop { "0" } else { "-1" }}
                    aria-pressed={self.is_selected.to_string()} onclick={choose}>
                    { format!("E{expert}") }
                </button>
                <div class={classes!("slots", (self.width > 12).then_some("is-dense"))}
                    style={format!("--slots:{}", self.width.max(1))}>
                    { for self.lane.kept.iter().map(|request| self.request(request)) }
                    { for (0..free).map(|_| html! { <span class="slot is-free" aria-hidden="true" /> }) }
                </div>
                <span class="door" aria-hidden="true" />
                <div class={classes!("queue", (self.lane.lost.len() > 2).then_some("is-dense"))}>{ for self.lane.lost.iter().map(|request| self.request(request)) }</div>
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

    fn request(&self, request: &Assignment) -> Html {
        let token = request.token as usize;
        let mark = Mark::of(request, self.layer.fate(token));
        let name = visible(self.scene.token_text(token).trim_start());
        let choose = {
            let (dispatch, expert) = (self.dispatch.clone(), Some(request.expert.index()));
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert }))
        };
        let is_selected = token == self.selected_token;
        let class = classes!(
            "slot",
            mark.class(),
            format!("r{}", self.layer.reading().share(request.weight_raw).map_or(UNREAD, ramp)),
            is_selected.then_some("is-selected")
        );
        let title = format!(
            "Token {token} “{name}”, choice {}, {}: {}",
            request.rank + 1,
            self.layer.reading().said(request.weight_raw),
            mark.name(),
        );
        html! {
            <button type="button" key={token} {class} data-view="slot" tabindex="-1" aria-label={title.clone()} {title} onclick={choose}>
                <span dir="auto">{ name }</span>
            </button>
        }
    }
}
