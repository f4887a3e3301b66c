//! The switch between the languages of the page, each by its own name.

use yew::prelude::*;

use crate::state::Action;
use crate::words::tongue::Language;

pub fn languages(current: Language, dispatch: &Callback<Action>) -> Html {
    let entry = |language: Language| {
        let dispatch = dispatch.clone();
        let onchange = Callback::from(move |_: Event| dispatch.emit(Action::SetLanguage(language)));
        html! {
            <label lang={language.tag()}>
                <input type="radio" name="language" value={language.code()} checked={language == current} {onchange} />
                <span>{ language.own_name() }</span>
            </label>
        }
    };
    html! {
        <fieldset class="depths languages" role="radiogroup" aria-label={say!("Language")}>
            { for Language::ALL.into_iter().map(entry) }
        </fieldset>
    }
}
