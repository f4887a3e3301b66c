//! The frame around every panel: topic, finding, source, and the table twin behind a switch.

use yew::prelude::*;

use crate::views::panel::{Panel, PanelInput};
use crate::views::parts::badges::source_badge;
use crate::views::parts::speaking::use_tongue;
use crate::words::tongue;

#[derive(Properties, PartialEq)]
pub struct FrameProps {
    pub panel: &'static Panel,
    /// Is another tab in front, where the screen is narrow?
    pub is_behind: bool,
    /// `None` leaves the place empty.
    pub input: Option<PanelInput>,
    /// Why it is empty.
    pub waiting: &'static str,
}

#[component]
pub fn Frame(props: &FrameProps) -> Html {
    use_tongue();
    let is_table = use_state(|| false);
    let panel = props.panel;
    let name = panel.name.as_str();
    let kind = tongue::translated(panel.kind);
    let class = classes!(
        "panel",
        format!("panel-{name}"),
        format!("area-{}", panel.area),
        props.is_behind.then_some("is-behind"),
    );
    // The table of contents leads here.
    let tabindex = (panel.area == "row").then_some("-1");
    let toggle = {
        let is_table = is_table.clone();
        Callback::from(move |_: MouseEvent| is_table.set(!*is_table))
    };
    let Some(input) = &props.input else {
        return html! {
            <section {class} {tabindex} part="panel" aria-label={kind.clone()}>
                <header class="panel-head">
                    <div class="topic"><span>{ kind }</span></div>
                    <h2 class="finding" part="title">{ tongue::translated(props.waiting) }</h2>
                </header>
                <div class="panel-body" part="picture" />
            </section>
        };
    };
    let lacking = (panel.lacks)(input);
    let table = panel.table.filter(|_| lacking.is_none());
    let (other, show_other) = match *is_table {
        true => (say!("picture"), say!("{panel}: show as picture", panel = kind)),
        false => (say!("table"), say!("{panel}: show as table", panel = kind)),
    };
    let finding = lacking.map_or_else(|| (panel.finding)(input), |lacking| tongue::translated(lacking).into_owned());
    html! {
        <section {class} {tabindex} part="panel" aria-label={kind.clone()}>
            <header class="panel-head">
                <div class="topic">
                    <span>{ (panel.topic)(input) }</span>
                    { (panel.badges)(input) }
                    { source_badge(input.source(), input.foreign_model.as_deref(), input.changes()) }
                    if table.is_some() {
                        <button type="button" class="quiet as-table" aria-label={show_other}
                            onclick={toggle}>{ other }</button>
                    }
                </div>
                <h2 class="finding" part="title">{ finding }</h2>
            </header>
            <div class="panel-body" part="picture">
                if let (true, Some(table)) = (*is_table, table) {
                    <div class="table-twin" part="table" tabindex="0">{ table(input) }</div>
                } else if lacking.is_none() {
                    { (panel.picture)(input) }
                }
            </div>
        </section>
    }
}
