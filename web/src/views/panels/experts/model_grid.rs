//! All experts of the model in one picture, a row for each layer: how often each was asked at this step. Thousands are a
//! handful of paths, drawn once a step.

use std::fmt::Write;

use moe_router::metrics;
use yew::prelude::*;

use crate::run::scene::Scene;
use crate::run::shared::Shared;
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::ramp::{RAMP, ramp};
use crate::views::parts::section::{Part, section};
use crate::views::parts::table::table;
use crate::words::names;

/// The picture is about so large, in pixels; its cells are of a size that can be seen and hit.
const WIDTH: usize = 1024;
const HEIGHT: usize = 456;

pub fn model_grid(input: &PanelInput, open: usize) -> Html {
    let scene = &input.scene;
    let (column, row) = cell(scene);
    let (width, height) = (scene.num_experts() * column, scene.layers.len() * row);
    let at = {
        let (num_layers, num_experts) = (scene.layers.len(), scene.num_experts());
        move |event: &MouseEvent| {
            let layer = (event.offset_y().max(0) as usize / row).min(num_layers.saturating_sub(1));
            let expert = (event.offset_x().max(0) as usize / column).min(num_experts.saturating_sub(1));
            (layer, expert)
        }
    };
    let onclick = {
        let (dispatch, token) = (input.dispatch.clone(), input.selection.token);
        Callback::from(move |event: MouseEvent| {
            let (layer, expert) = at(&event);
            dispatch.emit(Action::Select { token, layer: Some(layer), expert: Some(expert) });
        })
    };
    let onmousemove = {
        let scene = scene.clone();
        Callback::from(move |event: MouseEvent| {
            let (layer, expert) = at(&event);
            let of_layer = &scene.layers[layer];
            let asked = of_layer.routing.assignments.iter();
            let asked = asked.filter(|it| it.fate.is_demand() && it.expert.index() == expert).count();
            let words = many!(
                asked,
                "Expert {expert} of layer {layer}: {n} request",
                "Expert {expert} of layer {layer}: {n} requests",
                expert,
                layer = of_layer.layer,
            );
            say_on_hover(&event, &words);
        })
    };
    let words = words(scene);
    html! {
        <figure class="model-grid">
            <div class="model-grid-frame" tabindex="0" role="img" aria-label={words.clone()}>
                <div class="model-grid-field" {onclick} {onmousemove}>
                { section(0, Cells { scene: scene.clone() }) }
                <svg class="model-grid-open" width={width.to_string()} height={height.to_string()} aria-hidden="true">
                    <rect x={(open * column).to_string()} y={(input.selection.layer * row).to_string()}
                        width={column.to_string()} height={row.to_string()} />
                </svg>
                </div>
            </div>
            <figcaption class="fine">{ words }</figcaption>
        </figure>
    }
}

fn words(scene: &Scene) -> String {
    many!(
        most(scene),
        "All {experts} experts of the model at this step ({source}): layers downwards, experts to the right. The strongest was asked {n} time.",
        "All {experts} experts of the model at this step ({source}): layers downwards, experts to the right. The strongest was asked {n} times.",
        experts = scene.num_experts() * scene.layers.len(),
        source = names::source(scene.source()),
    )
}

/// Requests of the busiest expert anywhere.
fn most(scene: &Scene) -> u32 {
    scene.layers.iter().flat_map(|layer| metrics::demand(&layer.routing)).max().unwrap_or(0)
}

/// Width and height of a cell.
fn cell(scene: &Scene) -> (usize, usize) {
    let part = |of: usize, number: usize, least: usize| (of / number.max(1)).clamp(least, 24);
    (part(WIDTH, scene.num_experts(), 4), part(HEIGHT, scene.layers.len(), 6))
}

#[derive(PartialEq)]
struct Cells {
    scene: Shared<Scene>,
}

impl Part for Cells {
    /// A path for each step of the ramp; neighbours on the same step are one rectangle.
    fn draw(&self) -> Html {
        let scene = &self.scene;
        let (column, row) = cell(scene);
        let most = most(scene).max(1);
        let mut paths = <[String; RAMP]>::default();
        for (layer, of_layer) in scene.layers.iter().enumerate() {
            let levels: Vec<usize> =
                metrics::demand(&of_layer.routing).into_iter().map(|it| ramp(it as f32 / most as f32)).collect();
            let mut expert = 0;
            for run in levels.chunk_by(|a, b| a == b) {
                let (x, y, width) = (expert * column, layer * row, run.len() * column);
                // Writing to a string cannot fail.
                let _ = write!(paths[run[0]], "M{x} {y}h{width}v{}h-{width}z", row - 1);
                expert += run.len();
            }
        }
        let (width, height) = (scene.num_experts() * column, scene.layers.len() * row);
        html! {
            <svg width={width.to_string()} height={height.to_string()} aria-hidden="true">
                { for paths.into_iter().enumerate().filter(|(_, path)| !path.is_empty()).map(|(level, d)| html! {
                    <path class={format!("cell-{level}")} {d} />
                }) }
            </svg>
        }
    }
}

/// Every number of it: a layer's experts in their order.
pub fn as_table(scene: &Scene) -> Html {
    let rows = scene.layers.iter().map(|layer| {
        let demand = metrics::demand(&layer.routing);
        let idle = demand.iter().filter(|&&asked| asked == 0).count();
        let numbers: Vec<String> = demand.iter().map(u32::to_string).collect();
        vec![
            format!("L{}", layer.layer),
            format!("{:.2}", metrics::max_over_mean(&demand)),
            idle.to_string(),
            numbers.join(" "),
        ]
    });
    let head = [say!("layer"), say!("max/mean"), say!("never asked"), say!("requests of each expert, from 0 on")];
    table(&say!("Requests at this step, all experts"), &head.each_ref().map(|name| &**name), rows)
}
