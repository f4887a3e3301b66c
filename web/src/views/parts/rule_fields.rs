//! The numbers and words of a rule, as fields to fill in, from the rule's own form.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::settings::method::Method;
use crate::settings::rule_form::{self, Field, FieldKind};
use crate::state::Action;
use crate::views::parts::speaking::use_tongue;
use crate::words::tongue;

#[derive(Properties, PartialEq)]
pub struct RuleFieldsProps {
    /// The one that is tried.
    pub method: Method,
    pub num_experts: usize,
    pub dispatch: Callback<Action>,
}

/// The fields of a method that is tried.
#[component]
pub fn RuleFields(props: &RuleFieldsProps) -> Html {
    use_tongue();
    let RuleFieldsProps { method, num_experts, .. } = *props;
    // What was typed last and cannot be, and the method it was typed for.
    let refused = use_state(|| None::<(Method, String)>);
    let change = |field: &Field| {
        let key = field.key;
        let (dispatch, refused) = (props.dispatch.clone(), refused.clone());
        Callback::from(move |typed: String| {
            let filled =
                rule_form::fill(&method, key, &typed).ok_or_else(|| say!("It is not complete then").into_owned());
            let accepted = filled.and_then(|filled| filled.refused(num_experts).map_or(Ok(filled), Err));
            match accepted {
                Ok(filled) => {
                    refused.set(None);
                    dispatch.emit(Action::Try(Some(filled)));
                    true
                }
                Err(why) => {
                    refused.set(Some((method, refusal(key, &typed, &why))));
                    false
                }
            }
        })
    };
    let fields = rule_form::fields(&method);
    if fields.is_empty() {
        return Html::default();
    }
    let refused = refused.as_ref().filter(|(of, _)| *of == method).map(|(_, why)| why.clone());
    html! {
        <>
            <div class="rule-fields">{ for fields.iter().map(|field| field_html(field, change(field))) }</div>
            <p class="fine status" role="status">{ refused.unwrap_or_default() }</p>
        </>
    }
}

/// `change` says whether what was typed is taken; if it is not, the field shows what is in force.
pub fn field_html(field: &Field, change: Callback<String, bool>) -> Html {
    let name = name_of(field.key);
    let value = field.value.clone();
    let before = field.value.clone();
    match field.kind {
        FieldKind::Word(words) => {
            let onchange = Callback::from(move |event: Event| {
                let menu: HtmlSelectElement = event.target_unchecked_into();
                if !change.emit(menu.value()) {
                    menu.set_value(&before);
                }
            });
            html! {
                <label key={field.key}>
                    <span>{ name }</span>
                    <select {onchange}>
                        if value.is_empty() {
                            <option value="" selected=true>{ "–" }</option>
                        }
                        { for words.iter().map(|&word| html! {
                            <option value={word} selected={word == value}>{ name_of(word) }</option>
                        }) }
                    </select>
                </label>
            }
        }
        FieldKind::Count | FieldKind::Number => {
            // On change, not on input: a number half typed is not a number yet.
            let onchange = Callback::from(move |event: Event| {
                let input: HtmlInputElement = event.target_unchecked_into();
                if !change.emit(input.value()) {
                    input.set_value(&before);
                }
            });
            let (step, min) = if field.kind == FieldKind::Count { ("1", Some("0")) } else { ("any", None) };
            let placeholder = field.is_optional.then_some("–");
            html! {
                <label key={field.key}>
                    <span>{ name }</span>
                    <input type="number" inputmode="decimal" {step} {min} {value} {placeholder} {onchange} />
                </label>
            }
        }
    }
}

/// Why what was typed is not taken. `why`: a sentence without its full stop.
pub fn refusal(key: &str, typed: &str, why: &str) -> String {
    let field = name_of(key);
    match typed.is_empty() {
        true => say!("{field} cannot be empty here. {why}.", field, why),
        false => say!("{field} cannot be {typed} here. {why}.", field, typed, why),
    }
}

/// `softmax_after` as a reader would write it.
pub fn name_of(word: &str) -> String {
    tongue::translated(&word.replace('_', " ")).into_owned()
}
