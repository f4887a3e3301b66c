//! The switch between the depths of the page. It changes what is shown of the run, never the run.

use yew::prelude::*;

use crate::settings::depth::Depth;
use crate::state::Action;

pub fn depths(current: Depth, dispatch: &Callback<Action>) -> Html {
    let entry = |&depth: &Depth| {
        let dispatch = dispatch.clone();
        let onchange = Callback::from(move |_: Event| dispatch.emit(Action::SetDepth(depth)));
        html! {
            <label title={depth.says()}>
                <input type="radio" name="depth" value={depth.as_str()} checked={depth == current} {onchange} />
                <span>{ depth.title() }</span>
            </label>
        }
    };
    html! {
        <fieldset class="depths" role="radiogroup" aria-label={say!("Depth")}>{ for Depth::ALL.iter().map(entry) }</fieldset>
    }
}
