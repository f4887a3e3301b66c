//! The frame of every view: topic, finding, source, and a table twin behind a switch.

use moe_trace::Source;
use yew::prelude::*;

use crate::views::badges::SourceBadge;

#[derive(Properties, PartialEq)]
pub struct PanelProps {
    /// Where the panel lies in the page's grid.
    pub area: &'static str,
    /// What kind of view it is: "Layers × tokens".
    pub topic: AttrValue,
    /// What there is to see: "Only layer 2 turned anyone away".
    pub title: AttrValue,
    #[prop_or_default]
    pub source: Option<Source>,
    /// Beside the topic.
    #[prop_or_default]
    pub badges: Html,
    /// The same as a table, drawn on demand.
    #[prop_or_default]
    pub table: Option<Callback<(), Html>>,
    #[prop_or_default]
    pub children: Html,
}

#[component]
pub fn Panel(props: &PanelProps) -> Html {
    let is_table = use_state(|| false);
    let heading = format!("{}-title", props.area);
    let toggle = {
        let is_table = is_table.clone();
        Callback::from(move |_: MouseEvent| is_table.set(!*is_table))
    };
    html! {
        <section class={classes!("panel", format!("panel-{}", props.area))} aria-labelledby={heading.clone()}>
            <header class="panel-head">
                <div class="topic">
                    <span>{ &props.topic }</span>
                    { props.badges.clone() }
                    if let Some(source) = props.source {
                        <SourceBadge {source} />
                    }
                    if props.table.is_some() {
                        <button type="button" class="quiet as-table" aria-pressed={is_table.to_string()} onclick={toggle}>
                            { if *is_table { "picture" } else { "table" } }
                        </button>
                    }
                </div>
                <h2 class="finding" id={heading}>{ &props.title }</h2>
            </header>
            <div class="panel-body">
                if let (true, Some(table)) = (*is_table, &props.table) {
                    <div class="table-twin" tabindex="0">{ table.emit(()) }</div>
                } else {
                    { props.children.clone() }
                }
            </div>
        </section>
    }
}
