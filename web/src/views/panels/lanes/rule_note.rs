//! The routing rule in words, from the table of rules that crate, documentation and URLs share: its name, and on demand
//! what it does, whether it looks ahead, its paper, and the controls of others.

use moe_router::rule::Kind;
use moe_router::rules;
use moe_trace::RoutingSpec;
use yew::prelude::*;

use crate::views::parts::citation::citation;
use crate::views::parts::popup::Popup;
use crate::words::tongue;

/// `controls`: how another rule is chosen, where one can be. Between one expert and itself no rule chooses.
pub fn rule_note(routing: &RoutingSpec, num_experts: usize, controls: Html) -> Html {
    if num_experts == 1 {
        return html! { <p class="rule-note fine">{ say!("Dense: the one expert computes every token, and there is nothing to route.") }</p> };
    }
    let rule = rules::of(&routing.router);
    let kind = match rule.kind() {
        Kind::Assigns => say!("It assigns tokens to experts."),
        Kind::Mixes => say!("It mixes tokens or experts."),
        Kind::Scores => say!("It scores experts for another rule, which assigns them."),
    };
    let causal = match (rule.is_causal(), rules::looks_ahead(routing)) {
        (true, false) => say!("Causal: no token's choice depends on later tokens."),
        (true, true) => {
            say!("Its choice is causal, but its slots are not: which tokens are served depends on later tokens.")
        }
        (false, true) => say!("Not causal: a token's choice depends on later tokens."),
        (false, false) => say!("Not causal in training; as it runs here it is."),
    };
    html! {
        <Popup class="rule-note" title={say!("About this rule, and others to try")}
            summary={weave!("Rule: {rule}", rule = html! { <b>{ tongue::translated(rule.title) }</b> })}>
            <div class="more" tabindex="-1">
                <p>{ tongue::translated(rule.one_line) }</p>
                <p>{ kind }{ " " }{ causal }</p>
                <p class="fine">
                    { citation(rule.paper, rule.equation) }
                </p>
                { controls }
            </div>
        </Popup>
    }
}
