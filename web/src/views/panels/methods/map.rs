//! The map: boxes within boxes, as the survey by Cai et al. 2024 groups the methods, and a mark on each that says whether
//! the model here can run it.

use std::borrow::Cow;

use moe_router::rule::{Branch, Family, Kind};
use moe_trace::RoutingGroup;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::browser::letters::in_lower_case;
use crate::settings::method::Method;
use crate::state::Action;
use crate::views::parts::speaking::use_tongue;
use crate::words::tongue;

#[derive(Properties, PartialEq)]
pub struct MapProps {
    /// The one that is tried.
    pub current: Option<Method>,
    pub trained: Method,
    pub num_experts: usize,
    pub group: RoutingGroup,
    pub dispatch: Callback<Action>,
}

/// How far a method goes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Runs,
    /// Its shares or choices on the recorded gate can be seen.
    Tried,
    /// Gate logits do not say what it does.
    Told,
}

impl Reach {
    const ALL: [Reach; 3] = [Reach::Runs, Reach::Tried, Reach::Told];

    fn of(method: &Method, num_experts: usize, group: RoutingGroup) -> Reach {
        match (method.rule().kind(), method.obstacle(num_experts, group)) {
            (_, None) => Reach::Runs,
            (Kind::Mixes, Some(_)) => Reach::Tried,
            (_, Some(_)) => Reach::Told,
        }
    }

    fn says(self) -> Cow<'static, str> {
        match self {
            Reach::Runs => say!("runs on this model"),
            Reach::Tried => say!("seen on its recorded gate"),
            Reach::Told => say!("needs what is not here"),
        }
    }

    /// A full, a half and an empty circle.
    fn mark(self) -> Html {
        html! {
            <svg class="reach" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                <circle class="line" cx="6" cy="6" r="4.5" />
                { match self {
                    Reach::Runs => html! { <circle class="solid" cx="6" cy="6" r="4.5" /> },
                    Reach::Tried => html! { <path class="solid" d="M6 1.5a4.5 4.5 0 0 0 0 9z" /> },
                    Reach::Told => Html::default(),
                } }
            </svg>
        }
    }
}

#[component]
pub fn Map(props: &MapProps) -> Html {
    use_tongue();
    let sought = use_state(String::new);
    let oninput = {
        let sought = sought.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            sought.set(field.value());
        })
    };
    let found: Vec<Method> = Method::all().filter(|method| is_meant(method, &sought)).collect();
    let (num_found, num_all) = (found.len(), Method::all().count());
    let branches = Branch::ALL.into_iter().map(|branch| branch_box(branch, &found, props));
    html! {
        <div class="method-map">
            <div class="method-search">
                <label>
                    <span class="hidden">{ say!("Search methods") }</span>
                    <input type="search" placeholder={say!("Search: name, idea, paper")} value={(*sought).clone()} {oninput} />
                </label>
                <span class="fine" role="status">
                    { match num_found == num_all {
                        true => say!("{all} methods", all = num_all),
                        false => say!("{found} of {all} methods", found = num_found, all = num_all),
                    } }
                </span>
            </div>
            <ul class="reaches" aria-label={say!("What the marks mean")}>
                { for Reach::ALL.into_iter().map(|reach| html! { <li>{ reach.mark() }{ reach.says() }</li> }) }
            </ul>
            <div class="branches">{ for branches }</div>
        </div>
    }
}

/// Does what was typed, word for word, occur in what a method says of itself, in English or in the language of now?
fn is_meant(method: &Method, sought: &str) -> bool {
    let rule = method.rule();
    let english = [rule.title, rule.one_line, rule.family.title(), rule.family.branch().title()];
    let said = [rule.name, rule.paper, &english.join(" "), &english.map(tongue::translated).join(" ")];
    let said = in_lower_case(&said.join(" "));
    in_lower_case(sought).split_whitespace().all(|word| said.contains(word))
}

fn branch_box(branch: Branch, found: &[Method], props: &MapProps) -> Html {
    let families: Vec<Html> = branch.families().filter_map(|family| family_box(family, found, props)).collect();
    if families.is_empty() {
        return Html::default();
    }
    html! {
        <section key={branch.title()} class="branch" aria-label={tongue::translated(branch.title())}>
            <h3 class="topic">{ tongue::translated(branch.title()) }</h3>
            { for families }
        </section>
    }
}

fn family_box(family: Family, found: &[Method], props: &MapProps) -> Option<Html> {
    let methods: Vec<&Method> = found.iter().filter(|method| method.rule().family == family).collect();
    if methods.is_empty() {
        return None;
    }
    Some(html! {
        <div key={family.title()} class="family">
            <h4 title={tongue::translated(family.says())}>{ tongue::translated(family.title()) }</h4>
            <p class="fine">{ tongue::translated(family.says()) }</p>
            <ul>{ for methods.into_iter().map(|method| entry(method, props)) }</ul>
        </div>
    })
}

fn entry(method: &Method, props: &MapProps) -> Html {
    let rule = method.rule();
    let is_rule = |other: &Method| other.rule().name == rule.name;
    let is_current = props.current.as_ref().is_some_and(is_rule);
    let is_trained = is_rule(&props.trained);
    let reach = Reach::of(method, props.num_experts, props.group);
    // As trained it has the model's own numbers; the one that is chosen keeps those that were typed.
    let asked = if is_trained { props.trained } else { *method };
    let onclick = {
        let dispatch = props.dispatch.clone();
        let asked = (!is_current).then_some(asked);
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Try(asked)))
    };
    html! {
        <li key={rule.name}>
            <button type="button" class="method" aria-pressed={is_current.to_string()} title={tongue::translated(rule.one_line)} {onclick}>
                { reach.mark() }<span>{ tongue::translated(rule.title) }</span>
                if is_trained {
                    <small>{ say!("as trained") }</small>
                }
                <span class="hidden">{ say!(", {reach}", reach = reach.says()) }</span>
            </button>
        </li>
    }
}
