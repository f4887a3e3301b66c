//! Capacity lanes: for one layer and one routing group, who got a slot at which expert and who did not.

use moe_trace::{ExpertIdx, RoutingGroup};
use yew::prelude::*;

use crate::run::scene::{Group, Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::text::visible;
use crate::state::{Action, State};
use crate::views::badges::routing_badges;
use crate::views::equation::{Equation, equation};
use crate::views::fate_glyph::legend;
use crate::views::findings;
use crate::views::lane_row::LaneView;
use crate::views::panel::Panel;
use crate::views::routing_controls::routing_controls;
use crate::views::rule_controls::RuleControls;
use crate::views::rule_note::rule_note;
use crate::views::table::table;

pub fn capacity_lanes(scene: &Shared<Scene>, state: &State, dispatch: &Callback<Action>) -> Html {
    let selection = state.selection();
    let what_if = state.what_if().map(|layer| &**layer);
    let layer = what_if.unwrap_or(&scene.layers[selection.layer]);
    let group_idx = scene.tokens.get(selection.token).map_or(0, |token| token.group);
    let group = scene.groups[group_idx];
    let capacity = layer.capacities.get(group_idx).copied().flatten();
    let lanes: Vec<_> = (0..layer.num_experts).map(|expert| layer.lane(&group, ExpertIdx(expert as u32))).collect();
    let widest = lanes.iter().map(|lane| lane.kept.len()).max().unwrap_or_default();
    // More lanes than these share the same room.
    let is_crowded = lanes.len() > 8;
    let width = capacity.map_or(widest, |capacity| capacity as usize);
    let rows = lanes.into_iter().enumerate().map(|(lane_idx, lane)| {
        let is_selected = selection.expert == Some(lane.expert.index());
        let view = LaneView {
            scene,
            layer,
            lane,
            capacity: capacity.map(|capacity| capacity as usize),
            width,
            selected_token: selection.token,
            is_selected,
            is_stop: lane_idx == selection.expert.unwrap_or_default(),
            dispatch,
        };
        view.html()
    });
    let as_table = {
        let (scene, layer) = (scene.clone(), layer.clone());
        Callback::from(move |()| lanes_table(&scene, &layer, &group))
    };
    let routing = match what_if {
        Some(_) => state.routing(),
        None => scene.recording.request.routing,
    };
    let badges = routing_badges(&routing, &scene.recording.model.trained_routing, what_if.is_some());
    let formula = Equation {
        routing,
        group: scene.recording.request.group,
        num_experts: scene.num_experts(),
        num_tokens: group.num_tokens,
        capacity,
        status: state.rerun_status(),
    };
    let num_experts = state.model().map_or(scene.num_experts(), |model| model.num_experts as usize);
    let rule_controls = html! {
        <RuleControls rule={state.routing().router} trained={state.trained_routing().router} drawn={routing.router}
            {num_experts} group={state.settings().group} dispatch={dispatch.clone()} />
    };
    let topic = match scene.recording.request.group {
        RoutingGroup::ThisText => format!("Capacity lanes · layer {}", layer.layer),
        RoutingGroup::DecodeStep => format!("Capacity lanes · layer {} · step {}", layer.layer, group.step + 1),
    };
    html! {
        <Panel area="lanes" {topic} title={findings::lanes_title(layer, &group, capacity)} source={scene.source()}
            {badges} table={as_table}>
            <div class={classes!("lanes", is_crowded.then_some("is-crowded"))}>{ for rows }</div>
            { legend() }
            { equation(&formula, rule_note(&routing, rule_controls)) }
            { routing_controls(state, scene.num_experts(), dispatch) }
        </Panel>
    }
}

fn lanes_table(scene: &Scene, layer: &SceneLayer, group: &Group) -> Html {
    let rows = (0..layer.num_experts).map(|expert| {
        let lane = layer.lane(group, ExpertIdx(expert as u32));
        let names = |requests: &[&moe_trace::Assignment]| {
            let names = requests.iter().map(|request| {
                format!("{} #{}", visible(scene.token_text(request.token as usize).trim()), request.token)
            });
            names.collect::<Vec<_>>().join(", ")
        };
        vec![expert.to_string(), lane.demand().to_string(), names(&lane.kept), names(&lane.lost)]
    });
    table("Experts, and who asked them", &["expert", "asked by", "served, by slot", "turned away"], rows)
}
