//! What was tried of an expert, in numbers: every token and kind of text that came nearest, in both halves.

use yew::prelude::*;

use super::finding::{part, rate, times};
use crate::run::experts::{Association, Experts, LIFT, OFTEN, OFTEN_OF_KIND, RATE};
use crate::run::text::inline;

pub fn associations(experts: &Experts, expert: usize) -> Html {
    let of_expert = &experts.experts[expert];
    if of_expert.tokens.is_empty() && of_expert.kinds.is_empty() {
        return html! {
            <p class="fine">
                { format!("Nothing to try: a token has to stand {OFTEN} times in each half of the text, a kind of text {OFTEN_OF_KIND} tokens.") }
            </p>
        };
    }
    let (tokens, kinds) = experts.tried;
    html! {
        <section class="expert-associations">
            <div class="experts-scroll" tabindex="0" role="group" aria-label={format!("What asks expert {expert}")}>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{ "asks it" }</th>
                            <th scope="col">{ "first half" }</th>
                            <th scope="col" title="Benjamini-Hochberg false-discovery rate over all tests of this layer">{ "rate" }</th>
                            <th scope="col">{ "second half" }</th>
                            <th scope="col" title="The same over what the first half found">{ "rate" }</th>
                            <th scope="col">{ "holds" }</th>
                        </tr>
                    </thead>
                    <tbody>
                        { for of_expert.tokens.iter().map(|it| row(it, "token")) }
                        { for of_expert.kinds.iter().map(|it| row(it, "kind of text")) }
                    </tbody>
                </table>
            </div>
            <p class="fine">
                { format!("Times as often as by chance, and how many of the token's places asked it. Null: those who ask are drawn \
                    without replacement (hypergeometric, one-sided). It holds from {} on, at a false-discovery rate of {} over \
                    the layer's {tokens} tests of tokens and {kinds} of kinds, in both halves.",
                    times(LIFT), RATE) }
            </p>
        </section>
    }
}

fn row(association: &Association, what: &'static str) -> Html {
    let half = |counts: &moe_router::measure::KeyCounts| {
        format!("{} ({})", times(counts.lift()), part(counts.both, counts.of_key))
    };
    let again = association.rate_again.map_or_else(|| "–".to_owned(), rate);
    html! {
        <tr class={association.holds().then_some("is-special")}>
            <th scope="row" title={what}><bdi>{ inline(&association.words) }</bdi></th>
            <td>{ half(&association.first) }</td>
            <td>{ rate(association.rate) }</td>
            <td>{ half(&association.second) }</td>
            <td>{ again }</td>
            <td>{ if association.holds() { "yes" } else { "no" } }</td>
        </tr>
    }
}
