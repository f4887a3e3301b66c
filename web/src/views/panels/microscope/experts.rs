//! A number for each expert as a bar, those that were asked standing out.

use std::borrow::Cow;

use yew::prelude::*;

use crate::run::decision::Decision;
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::parts::sized::bar;
use crate::words::numbers::digits;

/// A gate logit in digits. The least number there is stands for none at all: the expert is muted.
pub fn logit(logit: f32) -> String {
    if logit == f32::MIN { "−∞".to_owned() } else { digits(logit.into()) }
}

/// `share_of`: how long the bar is, from 0 to 1.
pub fn experts(
    input: &PanelInput,
    decision: &Decision,
    label: Cow<'static, str>,
    values: &[f32],
    share_of: impl Fn(f32) -> f32,
) -> Html {
    let entry = |(expert, &value): (usize, &f32)| {
        let request = decision.requests.iter().find(|request| request.expert.index() == expert);
        let class = classes!(
            "micro-expert",
            request.map(|_| "is-asked"),
            (input.selection.expert == Some(expert)).then_some("is-selected"),
        );
        let dispatch = input.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(expert))));
        html! {
            <li key={expert} {class} {onclick}>
                <b>{ format!("E{expert}") }</b>
                { bar(share_of(value)) }
                <span class="share">{ logit(value) }</span>
                <span class="rank">{ request.map(|request| say!("choice {choice}", choice = request.rank + 1)) }</span>
            </li>
        }
    };
    html! { <ul class="micro-experts" aria-label={label}>{ for values.iter().enumerate().map(entry) }</ul> }
}
