//! The capacity, as the formula with its numbers, and the rule it is of.

use moe_router::Router;
use moe_trace::{CapacitySpec, Overflow, Rounding, RoutingGroup, RoutingSpec};
use yew::prelude::*;

use crate::views::panels::lanes::rule_note::rule_note;
use crate::views::parts::badges::future_badge;

/// What the formula is of.
pub struct Equation {
    pub routing: RoutingSpec,
    pub group: RoutingGroup,
    pub num_experts: usize,
    /// Tokens of the routing group.
    pub num_tokens: usize,
    /// Slots per expert as the routing recorded them.
    pub capacity: Option<u32>,
    /// Said instead of the note while there is something to say.
    pub status: &'static str,
}

pub fn equation(of: &Equation) -> Html {
    let Equation { routing, group, num_experts, num_tokens, capacity, status } = *of;
    let k = routing.router.k(num_experts);
    let Some(capacity) = capacity else {
        return html! {
            <div class="equation">
                <p class="formula"><span class="term"><b>{ "C = ∞" }</b></span></p>
                <p class="fine">
                    if routing.uses_the_future(num_experts) {
                        { future_badge() }
                    }
                    <span aria-live="polite" class="status">{ status }</span>
                    { " Dropless: every request is served, however many there are." }
                </p>
                { rule_note(&routing, num_experts) }
            </div>
        };
    };
    // Rules that fill the experts themselves have slots even where nobody is turned away.
    let slots = match routing.overflow {
        Overflow::Drop(slots) => slots,
        Overflow::Dropless => CapacitySpec::default(),
    };
    let term = |number: String, name: &'static str| html! { <span class="term"><b>{ number }</b><small>{ name }</small></span> };
    let sign = |sign: &'static str| html! { <span class="sign">{ sign }</span> };
    // What the formula gives before it is held between the minimum and the number of tokens.
    let plain = (f64::from(slots.factor) * (k * num_tokens) as f64 / num_experts as f64 - 1e-6).ceil() as u32;
    // Theirs is another formula.
    let has_formula = slots.rounding == Rounding::Ceil && routing.router.can_overflow();
    let agrees = Router::new(routing, num_experts).is_ok_and(|router| router.capacity(num_tokens) == Some(capacity));
    let formula = if has_formula && agrees {
        html! {
            <>
                { term("C".to_owned(), "slots each") }{ sign("= ceil(") }
                { term(slots.factor.to_string(), "capacity factor") }{ sign("×") }
                { term(k.to_string(), "experts a token") }{ sign("×") }
                { term(num_tokens.to_string(), "tokens T") }{ sign("/") }
                { term(num_experts.to_string(), "experts") }{ sign(") =") }
                { term(plain.to_string(), if plain == capacity { "slots each" } else { "by formula" }) }
                if plain > capacity {
                    { sign("→") }{ term(capacity.to_string(), "at most T") }
                } else if plain < capacity {
                    { sign("→") }{ term(capacity.to_string(), "at least") }
                }
            </>
        }
    } else {
        html! { <>{ term("C".to_owned(), "slots each") }{ sign("=") }{ term(capacity.to_string(), "as the run says") }</> }
    };
    let note = match group {
        RoutingGroup::ThisText => {
            "The group is this text. As it grows, so do T and C, and a token may meet another fate."
        }
        RoutingGroup::DecodeStep if num_tokens == 1 => {
            "This step routes one token. It asks no expert twice, so one slot is enough and nothing can overflow."
        }
        RoutingGroup::DecodeStep => "The group is what this step routes: several tokens, as the run says.",
    };
    html! {
        <div class="equation">
            <p class="formula">{ formula }</p>
            <p class="fine">
                if routing.uses_the_future(num_experts) {
                    { future_badge() }
                }
                <span aria-live="polite" class="status">{ status }</span>
                if status.is_empty() {
                    { note }
                }
            </p>
            { rule_note(&routing, num_experts) }
        </div>
    }
}
