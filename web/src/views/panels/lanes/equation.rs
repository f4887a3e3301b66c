//! The capacity, as the formula with its numbers, and the rule it is of.

use std::borrow::Cow;

use moe_router::capacity::HeldBy;
use moe_router::rules;
use moe_trace::{Overflow, RoutingGroup, RoutingSpec};
use yew::prelude::*;

use crate::run::capacity::{self, Formula};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::badges::future_badge;
use crate::views::parts::term::term;
use crate::words::glossary::{self, Term};

/// What the formula is of.
pub struct Equation {
    pub routing: RoutingSpec,
    pub group: RoutingGroup,
    pub num_experts: usize,
    /// Tokens of the routing group.
    pub num_tokens: usize,
    /// Slots per expert as the routing recorded them.
    pub capacity: Option<u32>,
    /// Shown in place of the note unless empty.
    pub status: AttrValue,
}

/// `rule_note`: the rule in words.
pub fn equation(of: &Equation, rule_note: Html) -> Html {
    let Equation { routing, group, num_experts, num_tokens, capacity, ref status } = *of;
    let Some(recorded) = capacity else {
        let note = match routing.overflow {
            Overflow::Drop(_) if !rules::facts(&routing.router).may_overflow() => {
                say!("This rule turns nobody away: it decides by itself how many tokens each expert gets.")
            }
            _ => say!("Dropless: every request is served, however many there are."),
        };
        return html! {
            <div class="equation">
                <div class="formula"><span class="term"><b>{ "C = ∞" }</b></span></div>
                <p class="fine">
                    if rules::looks_ahead(&routing) {
                        { future_badge() }
                    }
                    <span class="status">{ status }</span><AtRest words={status.clone()} />
                    { " " }{ note }
                </p>
                { rule_note }
            </div>
        };
    };
    let face = |number: String, name: Cow<'static, str>| html! { <><b>{ number }</b><small>{ name }</small></> };
    let plain = |number: String, name: Cow<'static, str>| html! { <span class="term">{ face(number, name) }</span> };
    let known = |of: &'static Term, number: String, name: Cow<'static, str>| term(of, "term", face(number, name));
    let sign = |sign: &'static str| html! { <span class="sign">{ sign }</span> };
    let side = |parts: Html| html! { <span class="side">{ parts }</span> };
    let formula = match capacity::formula(routing, num_experts, num_tokens, recorded) {
        Some(Formula { slots, k, result }) => {
            html! {
                // On a phone a line breaks before a side of the equation.
                <>
                    { side(html! { <>{ known(&glossary::SLOT, "C".to_owned(), say!("slots each")) }{ sign("=") }</> }) }
                    { side(html! {
                        <>
                            { sign("ceil(") }
                            { known(&glossary::CAPACITY_FACTOR, slots.factor.to_string(), say!("capacity factor")) }{ sign("×") }
                            { known(&glossary::K, k.to_string(), say!("k per token")) }{ sign("×") }
                            { known(&glossary::GROUP, num_tokens.to_string(), say!("tokens T")) }{ sign("/") }
                            { known(&glossary::EXPERT, num_experts.to_string(), say!("experts")) }{ sign(")") }
                        </>
                    }) }
                    { side(html! {
                        <>
                            { sign("=") }
                            { plain(result.plain.to_string(), if result.held_by == HeldBy::Nothing { say!("slots each") } else { say!("by formula") }) }
                            { match result.held_by {
                                HeldBy::Nothing => Html::default(),
                                HeldBy::Tokens => html! { <>{ sign("→") }{ plain(recorded.to_string(), say!("at most T")) }</> },
                                HeldBy::Minimum => html! { <>{ sign("→") }{ plain(recorded.to_string(), say!("at least")) }</> },
                            } }
                        </>
                    }) }
                </>
            }
        }
        None => side(html! {
            <>
                { known(&glossary::SLOT, "C".to_owned(), say!("slots each")) }{ sign("=") }
                { plain(recorded.to_string(), say!("as recorded")) }
            </>
        }),
    };
    let note = match group {
        RoutingGroup::ThisText => {
            say!("The text's tokens share the slots: as it grows, earlier ones may be routed differently.")
        }
        RoutingGroup::DecodeStep if num_tokens == 1 => {
            say!(
                "This step routes one token. It requests no expert twice, so one slot is enough and no expert can overflow."
            )
        }
        RoutingGroup::DecodeStep => say!("The tokens of this step share the slots."),
        RoutingGroup::Batch => say!("One token of each text of the batch shares the slots."),
    };
    html! {
        <div class="equation">
            <div class="formula">{ formula }</div>
            <p class="fine">
                if rules::looks_ahead(&routing) {
                    { future_badge() }
                }
                <span class="status">{ status }</span><AtRest words={status.clone()} />
                if status.is_empty() {
                    { note }
                }
            </p>
            { rule_note }
        </div>
    }
}
