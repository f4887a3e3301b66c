//! The kept runs as a list: which one is on the screen, and which one it is compared with.

mod finding;

use moe_trace::RunId;
use yew::prelude::*;

use crate::run::history::Entry;
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::words::{names, tongue};

pub static PANEL: Panel = Panel {
    name: PanelName::Runs,
    kind: marked!("Runs"),
    area: "row",
    tab: Tab::Own(marked!("Runs")),
    depth: Depth::Lab,
    sees: Sees::History,
    lacks: |_| None,
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: |input| match (&input.history.pair, input.history.entries.len()) {
        (Some(pair), _) => finding::finding(pair),
        (None, 0 | 1) => say!("One run so far: change a setting and run again to compare").into_owned(),
        (None, number) if input.history.entries.iter().any(|entry| entry.is_under_way) => {
            let runs = many!(number, "{n} run", "{n} runs");
            say!("{runs}; the comparison follows when this one has ended", runs)
        }
        (None, number) => {
            let runs = many!(number, "{n} run", "{n} runs");
            say!("{runs}; these two begin differently or were never of one length, so tokens are not compared", runs)
        }
    },
    badges: |_| Html::default(),
    picture,
    // The picture is a table.
    table: None,
};

fn picture(input: &PanelInput) -> Html {
    let can_compare = input.history.entries.len() > 1;
    html! {
        <div class="runs-list" tabindex="0" role="group" aria-label={say!("Kept runs")}>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{ say!("screen") }</th>
                        <th scope="col">{ say!("compared") }</th>
                        <th scope="col">{ say!("changed since the run above") }</th>
                        <th scope="col">{ say!("model") }</th>
                        <th scope="col">{ say!("source") }</th>
                        <th scope="col">{ say!("tokens") }</th>
                        <th scope="col" title={say!("Requests turned away at its last step, in all layers")}>{ say!("away") }</th>
                        <th scope="col" title={say!("Mean loss of its whole text, in nats per token")}>{ say!("nats/token") }</th>
                    </tr>
                </thead>
                <tbody>{ for input.history.entries.iter().map(|entry| row(input, entry, can_compare)) }</tbody>
            </table>
        </div>
    }
}

fn row(input: &PanelInput, entry: &Entry, can_compare: bool) -> Html {
    let number = entry.run.0;
    let choice = |label: String, is_chosen: bool, disabled: bool, action: fn(RunId) -> Action| {
        let (dispatch, run) = (input.dispatch.clone(), entry.run);
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(action(run)));
        html! {
            <button type="button" class="choose-run" aria-label={label} aria-pressed={is_chosen.to_string()} {disabled} {onclick}>
                <span aria-hidden="true" />
            </button>
        }
    };
    let nats = entry.nats.map_or_else(|| "–".to_owned(), |nats| format!("{nats:.3}"));
    html! {
        <tr key={number} class={entry.is_on_screen.then_some("is-selected")}>
            <td>{ choice(say!("Put run {number} on the screen", number), entry.is_on_screen, false, Action::ShowRun) }</td>
            <td>
                { choice(say!("Compare with run {number}", number), entry.is_against, entry.is_on_screen || !can_compare,
                    Action::CompareWith) }
            </td>
            <th scope="row"><bdi>{ &entry.name }</bdi></th>
            <td><bdi>{ &entry.model }</bdi></td>
            <td>{ names::source(entry.source) }</td>
            <td>{ entry.num_tokens }</td>
            <td>{ entry.lost }</td>
            <td>{ nats }</td>
        </tr>
    }
}
