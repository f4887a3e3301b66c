//! The story, for readers who have never heard of all this: what a Mixture of Experts is, one text on its way to the experts,
//! one token that finds its expert full, one control that lets it in, and what that changed.

mod sentences;
mod text;

use moe_trace::ExpertIdx;
use yew::prelude::*;

use crate::run::event::{self, Event};
use crate::run::scene::{Group, SceneLayer};
use crate::run::text::{quoted, short};
use crate::settings::Setting;
use crate::settings::view::PanelName;
use crate::state::{Action, Motion};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::badges::routing_badges;
use crate::views::parts::glyph::legend;
use crate::views::parts::lane::LaneView;
use crate::views::parts::section::{row, section};
use crate::views::parts::table::{Cell, table};
use text::Word;

pub static PANEL: Panel = Panel {
    name: PanelName::Story,
    kind: marked!("Story"),
    area: "story",
    tab: Tab::Always,
    depth: Depth::Story,
    sees: Sees::Controls,
    lacks: |_| None,
    topic: |input| say!("Story · layer {layer}", layer = input.layer().layer),
    finding: |input| sentences::finding(&Seen::of(input)),
    badges,
    picture,
    table: Some(as_table),
};

/// What is drawn: the selected layer, under the controls' routing where that can be said.
struct Seen<'a> {
    input: &'a PanelInput,
    layer: &'a SceneLayer,
    group: Group,
    capacity: Option<u32>,
    /// The tokens that are drawn: while the run plays by itself, those up to the selected one.
    num_tokens: usize,
    /// What happened to the selected token.
    event: Option<Event>,
}

impl Seen<'_> {
    fn of(input: &PanelInput) -> Seen<'_> {
        let layer = input.what_if.as_ref().map_or(input.layer(), |what_if| &what_if.layer);
        let (group_idx, group) = input.group();
        let token = input.selection.token;
        let num_tokens = match input.playback.tour {
            Some(_) => token + 1,
            None => input.scene.tokens.len(),
        };
        let capacity = layer.capacities.get(group_idx).copied().flatten();
        Seen { input, layer, group, capacity, num_tokens, event: Event::of(layer, &group, token) }
    }

    /// The selected token, as it is written in a sentence.
    fn token(&self) -> String {
        quoted(self.input.scene.token_text(self.input.selection.token))
    }
}

fn badges(input: &PanelInput) -> Html {
    let act = |action: Action| {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let routing = input.what_if.as_ref().map_or(input.scene.recording.request.routing, |what_if| what_if.routing);
    let (icon, words, label, action) = match input.playback.playing {
        true => ("icon-pause", say!("Pause"), say!("Pause"), Action::TogglePlay),
        false => ("icon-play", say!("Play"), say!("Play from the start"), Action::PlayStory),
    };
    html! {
        <>
            { routing_badges(&routing, &input.scene.recording.model.trained_routing, input.what_if.is_some()) }
            <button type="button" class="quiet story-play" aria-label={label} onclick={act(action)}>
                <span class={icon} aria-hidden="true" />{ words }
            </button>
        </>
    }
}

fn picture(input: &PanelInput) -> Html {
    let seen = Seen::of(input);
    let (scene, selection, layer) = (&input.scene, input.selection, seen.layer);
    let words = (0..scene.tokens.len()).map(|token| Word::of(&seen, token));
    let is_drawn = |token: u32| (token as usize) < seen.num_tokens;
    let lanes = (0..layer.num_experts).map(|expert| {
        let mut lane = layer.lane(&seen.group, ExpertIdx(expert as u32));
        lane.kept.retain(|request| is_drawn(request.token));
        lane.lost.retain(|request| is_drawn(request.token));
        lane
    });
    let lanes: Vec<_> = lanes.collect();
    let widest = lanes.iter().map(|lane| lane.kept.len()).max().unwrap_or_default();
    let width = seen.capacity.map_or(widest, |slots| (slots as usize).min(seen.group.num_tokens.max(widest)));
    let size = (seen.capacity.map(|slots| slots as usize), width);
    let rows = lanes.iter().enumerate().map(|(number, lane)| {
        section(number, LaneView::of((scene, layer), lane, size, selection, None, &input.dispatch))
    });
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="story">
            <p class="story-what">{ sentences::what_it_is() }<span class="fine">{ sentences::this_model(&seen) }</span></p>
            <div class="story-text" role="listbox" aria-label={say!("The text")} {dir}>{ row(words, &input.dispatch) }</div>
            <div class={classes!("lanes", (layer.num_experts > 8).then_some("is-crowded"))}>{ for rows }</div>
            { legend() }
            { event_box(&seen) }
        </div>
    }
}

/// What happened to the selected token, the control that lets it in, and what that changed.
fn event_box(seen: &Seen) -> Html {
    let input = seen.input;
    let act = |action: Action| {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let controls = &input.controls;
    let room = seen.event.and_then(|_| {
        let selection = input.selection;
        event::room_for(&input.scene, selection.layer, selection.token, &controls.routing, controls.group)
    });
    let other = input.scene.totals().lost > 0 && seen.event.is_none();
    html! {
        <div class="story-event">
            <p>{ sentences::event(seen) }</p>
            if let Some(room) = room {
                <p>
                    <button type="button" class="primary story-let-in"
                        onclick={act(Action::Set(Setting::CapacityFactor(room.factor)))}>
                        { say!("Let it in: {slots} slots for every expert", slots = room.slots) }
                    </button>
                    <span class="fine">{ sentences::of_the_control(seen, room) }</span>
                </p>
            }
            <p class="status" role="status">{ &controls.status }</p>
            if let Some(changed) = sentences::changed(input) {
                <p class="story-changed">{ changed }</p>
            }
            <p class="story-more">
                if input.can_flip {
                    <button type="button" class="quiet" aria-pressed={input.flipped.to_string()} onclick={act(Action::Flip)}>
                        { if input.flipped { say!("Back to the run with the change") } else { say!("Show the run before the change") } }
                    </button>
                }
                if other {
                    <button type="button" class="quiet" onclick={act(Action::Move(Motion::NextDrop))}>
                        { say!("Find a token that was turned away") }
                    </button>
                }
            </p>
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let seen = Seen::of(input);
    let scene = &input.scene;
    let rows = (0..seen.layer.num_experts).map(|expert| {
        let lane = seen.layer.lane(&seen.group, ExpertIdx(expert as u32));
        let names = |requests: &[&moe_trace::Assignment]| {
            let names = requests.iter().map(|request| short(scene.token_text(request.token as usize)));
            Cell::Text(names.collect::<Vec<_>>().join(&say!(", ")))
        };
        vec![expert.to_string().into(), lane.demand().to_string().into(), names(&lane.kept), names(&lane.lost)]
    });
    let head = [say!("expert"), say!("asked by"), say!("served"), say!("turned away")];
    table(&say!("Experts and the tokens that asked them"), &head.each_ref().map(|name| &**name), rows)
}
