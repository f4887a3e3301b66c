//! One expert's lane: its slots, the line that marks capacity, and the requests beyond it that were turned away.

use std::rc::Rc;

use moe_trace::{Assignment, ExpertIdx, Intervention};
use yew::prelude::*;

use crate::browser::carry;
use crate::run::gate_reading::GateReading;
use crate::run::scene::{Lane, Scene, SceneLayer};
use crate::run::text::{inline, visible};
use crate::settings::interventions;
use crate::state::surgery::Operation;
use crate::state::{Action, Selection};
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::popup::Popup;
use crate::views::parts::ramp::ramp;
use crate::views::parts::section::{Cell, Part, row};
use crate::views::parts::surgery::Mute;

/// The one shade of requests that no gate was read for.
const UNREAD: usize = 3;

/// So many of a queue have room for a mark each. Of a longer one the others stand in a list, behind their number.
const IN_QUEUE: usize = 4;

/// How a lane is drawn.
#[derive(PartialEq)]
pub struct LaneView {
    expert: usize,
    /// Served requests by slot, and those that were turned away.
    kept: Vec<Slot>,
    lost: Vec<Slot>,
    /// Slots per expert; `None` without a limit.
    capacity: Option<usize>,
    /// Slots of the widest lane.
    width: usize,
    experts_take: bool,
    is_selected: bool,
    /// Of all lanes one is a stop of the Tab key; `[` and `]` go on from there.
    is_tab_stop: bool,
    /// What was done to the expert for this run.
    is_muted: bool,
    computed_by: ExpertIdx,
    /// The switch, where there is one.
    mute: Option<Mute>,
    dispatch: Callback<Action>,
}

/// A request in its place.
#[derive(Clone, PartialEq)]
struct Slot {
    token: usize,
    expert: usize,
    rank: u32,
    text: Rc<str>,
    mark: Mark,
    weight_raw: f32,
    reading: GateReading,
    is_selected: bool,
    /// May it be carried to the lane of another expert?
    is_movable: bool,
}

impl LaneView {
    /// `capacity`: slots per expert; `None` without a limit. `width`: slots of the widest lane. `mute`: of this expert.
    pub fn of(
        (scene, layer): (&Scene, &SceneLayer),
        lane: &Lane,
        (capacity, width): (Option<usize>, usize),
        selection: Selection,
        mute: Option<Mute>,
        dispatch: &Callback<Action>,
    ) -> LaneView {
        let slot = |request: &&Assignment| {
            let token = request.token as usize;
            Slot {
                token,
                expert: request.expert.index(),
                rank: request.rank,
                text: scene.token_name(token),
                mark: Mark::of(request, layer.fate(token)),
                weight_raw: request.weight_raw,
                reading: layer.reading(),
                is_selected: token == selection.token,
                is_movable: mute.is_some(),
            }
        };
        let expert = lane.expert.index();
        let changes = &scene.recording.request.interventions;
        LaneView {
            expert,
            kept: lane.kept.iter().map(slot).collect(),
            lost: lane.lost.iter().map(slot).collect(),
            capacity,
            width,
            experts_take: layer.experts_take(),
            is_selected: selection.expert == Some(expert),
            is_tab_stop: selection.expert.unwrap_or_default() == expert,
            is_muted: interventions::is_muted(changes, layer.layer, lane.expert),
            computed_by: interventions::computed_by(changes, layer.layer, lane.expert),
            mute,
            dispatch: dispatch.clone(),
        }
    }
}

impl Part for LaneView {
    fn draw(&self) -> Html {
        let LaneView { expert, capacity, .. } = *self;
        let choose = {
            let (dispatch, expert) = (self.dispatch.clone(), (!self.is_selected).then_some(expert));
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(expert)))
        };
        let (kept, demand) = (self.kept.len(), self.kept.len() + self.lost.len());
        let free = self.width.saturating_sub(kept);
        let is_full = capacity == Some(kept);
        let count = capacity.map_or(kept.to_string(), |capacity| format!("{kept}/{capacity}"));
        let label = match capacity {
            _ if self.experts_take => {
                many!(demand, "Expert {expert}: picks {n} token", "Expert {expert}: picks {n} tokens", expert)
            }
            Some(capacity) => say!(
                "Expert {expert}: {requests}, {slots}, {lost} turned away",
                expert,
                requests = many!(demand, "{n} request", "{n} requests"),
                slots = many!(capacity, "{n} slot", "{n} slots"),
                lost = demand - kept,
            ),
            None => {
                many!(
                    demand,
                    "Expert {expert}: {n} request, no limit",
                    "Expert {expert}: {n} requests, no limit",
                    expert
                )
            }
        };
        let ondrop = self.mute.map(|Mute { layer, expert, .. }| {
            let dispatch = self.dispatch.clone();
            Callback::from(move |event: DragEvent| {
                if let Some(token) = carry::fallen(&event) {
                    event.prevent_default();
                    let force = Intervention::Force { layer, position: token as u32, expert };
                    dispatch.emit(Action::Operate(Operation::Make(force)));
                }
            })
        });
        // By which a place says that something may fall on it.
        let ondragover = self.mute.map(|_| Callback::from(|event: DragEvent| event.prevent_default()));
        let label = if self.is_muted { say!("{label}, muted", label) } else { label };
        let is_swapped = self.computed_by.index() != expert;
        let tabindex = if self.is_tab_stop { "0" } else { "-1" };
        let class = classes!(
            "lane",
            self.is_selected.then_some("is-selected"),
            (demand == 0).then_some("is-idle"),
            is_full.then_some("is-full"),
        );
        html! {
            <div {class} role="group" {ondragover} {ondrop} aria-label={label}>
                <button type="button" class="lane-name" data-grid="lanes" {tabindex}
                    aria-pressed={self.is_selected.to_string()} onclick={choose}>
                    { format!("E{expert}") }
                </button>
                { self.mute.map(|mute| mute.sign(tabindex, &self.dispatch)).unwrap_or_default() }
                <div class={classes!("slots", (self.width > 12).then_some("is-dense"))}>
                    { row(self.kept.iter().cloned(), &self.dispatch) }
                    { for (0..free).map(|_| html! { <span class="slot is-free" aria-hidden="true" /> }) }
                </div>
                <span class="door" aria-hidden="true" />
                <div class={classes!("queue", (self.lost.len() > 2).then_some("is-dense"))}>
                    { row(self.lost.iter().take(IN_QUEUE).cloned(), &self.dispatch) }
                </div>
                <span class="lane-count">
                    { count }
                    if self.lost.len() > IN_QUEUE {
                        { self.turned_away() }
                    } else if demand > kept {
                        <b>{ format!("+{}", demand - kept) }</b>
                    } else if self.is_muted {
                        <small>{ say!("muted") }</small>
                    } else if demand == 0 {
                        <small>{ say!("idle") }</small>
                    }
                    if is_swapped {
                        <small title={say!("Swapped: expert {expert} computes what is sent here", expert = self.computed_by)}>
                            { say!("by E{expert}", expert = self.computed_by) }
                        </small>
                    }
                </span>
            </div>
        }
    }
}

impl LaneView {
    /// The number of those that were turned away, and behind it all of them.
    fn turned_away(&self) -> Html {
        let requests = self.lost.iter().map(|slot| {
            let class = classes!("quiet", slot.is_selected.then_some("is-selected"));
            let title = slot.title();
            html! {
                <li key={slot.token}>
                    <button type="button" {class} aria-label={title.clone()} {title} onclick={slot.choose(&self.dispatch)}>
                        { glyph(slot.mark) }<bdi>{ visible(slot.name()) }</bdi>
                    </button>
                </li>
            }
        });
        let (number, expert) = (self.lost.len(), self.expert);
        html! {
            <Popup class="explained turned-away" title={many!(number, "The {n} request that expert {expert} turned away", "All {n} requests that expert {expert} turned away", expert)}
                summary={html! { <b>{ format!("+{number}") }</b> }}>
                <ul class="more" tabindex="-1">{ for requests }</ul>
            </Popup>
        }
    }
}

impl Slot {
    /// The token's text. A blank that stands alone is a token too.
    fn name(&self) -> &str {
        if self.text.trim_start().is_empty() { &self.text } else { self.text.trim_start() }
    }

    fn title(&self) -> String {
        say!(
            "Token {token} “{text}”, choice {choice}, {gate}; {fate}",
            token = self.token,
            text = inline(self.name()),
            choice = self.rank + 1,
            gate = self.reading.described(self.weight_raw),
            fate = self.mark.name(),
        )
    }

    fn choose(&self, dispatch: &Callback<Action>) -> Callback<MouseEvent> {
        let (dispatch, token, expert) = (dispatch.clone(), self.token, Some(self.expert));
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert }))
    }
}

impl Cell for Slot {
    fn draw(&self, dispatch: &Callback<Action>) -> Html {
        let token = self.token;
        let carry = self.is_movable.then(|| Callback::from(move |event: DragEvent| carry::take_up(&event, token)));
        let draggable = self.is_movable.then_some("true");
        let class = classes!(
            "slot",
            self.mark.class(),
            format!("r{}", self.reading.share(self.weight_raw).map_or(UNREAD, ramp)),
            self.is_selected.then_some("is-selected")
        );
        let title = self.title();
        html! {
            <button type="button" key={token} {class} data-view="slot" tabindex="-1" aria-label={title.clone()} {title}
                {draggable} ondragstart={carry} onclick={self.choose(dispatch)}>
                <span dir="auto">{ visible(self.name()) }</span>
            </button>
        }
    }
}
