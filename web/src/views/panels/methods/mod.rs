//! Every routing method there is: drawn as the survey groups them, tried on the gate logits of the selected layer, and run
//! where the model can.

mod chosen;
mod facts;
mod lanes;
mod map;
mod sentences;
mod shares;

use yew::prelude::*;

use crate::run::text::inline;
use crate::run::tried::{Outcome, Tried};
use crate::settings::method::Method;
use crate::settings::view::PanelName;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::table::{Cell, table};
use crate::words::tongue;
use chosen::chosen;
use map::Map;

pub static PANEL: Panel = Panel {
    name: PanelName::Methods,
    kind: marked!("Routing methods"),
    area: "row",
    tab: Tab::Own(marked!("Methods")),
    depth: Depth::Lab,
    sees: Sees::Controls,
    lacks: |_| None,
    topic: |input| say!("Routing methods · layer {layer}", layer = input.layer().layer),
    finding: sentences::finding,
    badges: |input| match &input.tried {
        Some(tried) => sentences::badges(tried, input),
        None => Html::default(),
    },
    picture,
    table: Some(as_table),
};

fn picture(input: &PanelInput) -> Html {
    let current = input.tried.as_ref().map(|tried| tried.method);
    let (num_experts, group) = (input.controls.num_experts, input.controls.group);
    html! {
        <div class={classes!("methods", current.is_some().then_some("has-chosen"))}>
            if current.is_none() { { chosen(input) } }
            <Map {current} {num_experts} {group} trained={Method::Assigns(input.controls.trained.router)}
                dispatch={input.dispatch.clone()} />
            if current.is_some() { { chosen(input) } }
        </div>
    }
}

/// Of the method that is tried, its decisions; of none, the list of all.
fn as_table(input: &PanelInput) -> Html {
    match input.tried.as_deref() {
        Some(Tried { outcome: Outcome::Routed(routed), method }) => {
            let (before, after) = (input.layer(), &routed.layer);
            let rows = (0..input.scene.tokens.len()).map(|token| {
                let text = Cell::Text(inline(input.scene.token_text(token)));
                let [before, after] = [before, after].map(|layer| sentences::experts(layer, token).into());
                vec![token.to_string().into(), text, before, after]
            });
            let caption = say!("Experts of each token in layer {layer}", layer = after.layer);
            let title = tongue::translated(method.rule().title);
            table(&caption, &["#", &say!("token"), &say!("as the run went"), &title], rows)
        }
        Some(Tried { outcome: Outcome::Mixed { group, mixing }, .. }) => shares::as_table(input, group, mixing),
        _ => {
            let rows = Method::all().map(|method| {
                let rule = method.rule();
                let runs = method.obstacle(input.controls.num_experts, input.controls.group);
                vec![
                    tongue::translated(rule.title).into_owned(),
                    tongue::translated(rule.family.title()).into_owned(),
                    tongue::translated(rule.one_line).into_owned(),
                    if rule.is_causal() { say!("no") } else { say!("yes") }.into_owned(),
                    runs.map_or_else(|| say!("yes").into_owned(), |why| say!("no: {why}.", why)),
                    tongue::translated(rule.paper).into_owned(),
                ]
            });
            let head = [
                say!("method"),
                say!("family"),
                say!("what it does"),
                say!("looks ahead"),
                say!("runs on this model"),
                say!("source"),
            ];
            table(&say!("All routing methods"), &head.each_ref().map(|name| &**name), rows)
        }
    }
}
