//! Capacity lanes: for one layer and one routing group, which requests each expert served and which it turned away.

pub mod equation;
mod finding;
mod loss_beside;
pub mod rule_controls;
pub mod rule_note;

use moe_trace::{Assignment, RoutingGroup, RoutingSpec};
use yew::prelude::*;

use crate::run::scene::{Group, SceneLayer};
use crate::run::text::short;
use crate::settings::offered::ControlName;
use crate::settings::view::PanelName;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::badges::routing_badges;
use crate::views::parts::glyph::legend;
use crate::views::parts::lane::LaneView;
use crate::views::parts::routing_controls::routing_controls;
use crate::views::parts::section::section;
use crate::views::parts::surgery::Mute;
use crate::views::parts::table::{Cell, table};
use crate::words::names;
use equation::{Equation, equation};
use loss_beside::loss_beside;
use rule_controls::RuleControls;
use rule_note::rule_note;

pub static PANEL: Panel = Panel {
    name: PanelName::Lanes,
    kind: marked!("Capacity lanes"),
    area: "lanes",
    tab: Tab::Own(marked!("Lanes")),
    depth: Depth::Inspect,
    sees: Sees::Controls,
    lacks: |_| None,
    topic,
    finding: |input| {
        let Seen { layer, group, capacity } = Seen::of(input);
        finding::finding(layer, &group, capacity)
    },
    badges: |input| {
        routing_badges(&routing(input), &input.scene.recording.model.trained_routing, input.what_if.is_some())
    },
    picture,
    table: Some(as_table),
};

/// What is drawn: the selected layer, under the controls' routing where that can be said, and the selected token's group.
struct Seen<'a> {
    layer: &'a SceneLayer,
    group: Group,
    /// Slots per expert; `None` without a limit.
    capacity: Option<u32>,
}

impl Seen<'_> {
    fn of(input: &PanelInput) -> Seen<'_> {
        let layer = input.what_if.as_ref().map_or(input.layer(), |what_if| &what_if.layer);
        let (group_idx, group) = input.group();
        Seen { layer, group, capacity: layer.capacities.get(group_idx).copied().flatten() }
    }
}

/// The routing that is drawn.
fn routing(input: &PanelInput) -> RoutingSpec {
    input.what_if.as_ref().map_or(input.scene.recording.request.routing, |what_if| what_if.routing)
}

fn topic(input: &PanelInput) -> String {
    let Seen { layer, group, .. } = Seen::of(input);
    match input.scene.recording.request.group {
        RoutingGroup::ThisText => say!("Capacity lanes · layer {layer}", layer = layer.layer),
        RoutingGroup::DecodeStep | RoutingGroup::Batch => {
            say!("Capacity lanes · layer {layer} · step {step}", layer = layer.layer, step = group.step + 1)
        }
    }
}

fn picture(input: &PanelInput) -> Html {
    let (scene, selection) = (&input.scene, input.selection);
    let Seen { layer, group, capacity } = Seen::of(input);
    let lanes = layer.lanes(&group);
    let widest = lanes.iter().map(|lane| lane.kept.len()).max().unwrap_or_default();
    // More lanes than these share the same room.
    let is_crowded = lanes.len() > 8;
    // Some roundings give more slots than the group has tokens: those stay free, however many.
    let width = capacity.map_or(widest, |capacity| (capacity as usize).min(group.num_tokens.max(widest)));
    let size = (capacity.map(|capacity| capacity as usize), width);
    let (routing, controls) = (routing(input), &input.controls);
    let has_mutes = controls.offered.has(ControlName::Surgery);
    let rows = lanes.iter().enumerate().map(|(number, lane)| {
        let mute = has_mutes.then(|| Mute::of(&input.surgery.asked, layer.layer, lane.expert));
        section(number, LaneView::of((scene, layer), lane, size, selection, mute, &input.dispatch))
    });
    let formula = Equation {
        routing,
        group: scene.recording.request.group,
        num_experts: scene.num_experts(),
        num_tokens: group.num_tokens,
        capacity,
        status: controls.status.clone(),
    };
    let rule_controls = html! {
        <RuleControls rule={controls.routing.router} trained={controls.trained.router} drawn={routing.router}
            num_experts={controls.num_experts} group={controls.group} dispatch={input.dispatch.clone()} />
    };
    let rule_controls = if controls.offered.has(ControlName::Rule) { rule_controls } else { Html::default() };
    html! {
        <>
            <div class={classes!("lanes", is_crowded.then_some("is-crowded"), has_mutes.then_some("has-mutes"))}>
                { for rows }
                { shared_lane(scene.recording.model.num_shared_experts, group.num_tokens) }
            </div>
            { legend() }
            { equation(&formula, rule_note(&routing, formula.num_experts, rule_controls)) }
            { loss_beside(input) }
            { routing_controls(controls, &input.dispatch) }
        </>
    }
}

/// Experts that every token passes, asked or not: no slots, and nobody is turned away.
fn shared_lane(num_shared: u32, num_tokens: usize) -> Html {
    let words = match num_shared {
        0 => return Html::default(),
        number => many!(
            number,
            "shared expert: computes every token, without being asked",
            "{n} shared experts: compute every token, without being asked"
        ),
    };
    html! {
        <div key="shared" class="shared-lane"><b>{ "S" }</b><span>{ words }</span><small>{ num_tokens }</small></div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let Seen { layer, group, .. } = Seen::of(input);
    let scene = &input.scene;
    let rows = layer.lanes(&group).into_iter().map(|lane| {
        let listed = |requests: &[&Assignment]| {
            let names = requests
                .iter()
                .map(|request| format!("{} #{}", short(scene.token_text(request.token as usize)), request.token));
            Cell::Text(names::listed(names))
        };
        vec![lane.expert.to_string().into(), lane.demand().to_string().into(), listed(&lane.kept), listed(&lane.lost)]
    });
    let num_shared = scene.recording.model.num_shared_experts as usize;
    let shared = (0..num_shared).map(|_| {
        [say!("shared"), say!("none"), say!("every token"), "".into()].map(|said| Cell::Said(said.into_owned())).into()
    });
    let rows = rows.chain(shared);
    let head = [say!("expert"), say!("requests"), say!("served, by slot"), say!("turned away")];
    table(&say!("Experts and their requests"), &head.each_ref().map(|name| &**name), rows)
}
