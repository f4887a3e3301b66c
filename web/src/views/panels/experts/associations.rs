//! What was tried of an expert, in numbers: every token and kind of text that came nearest, in both halves.

use std::borrow::Cow;

use yew::prelude::*;

use super::finding::{part, rate, times, words_of};
use crate::run::experts::{Association, Expert, Experts, LIFT, OFTEN, OFTEN_OF_KIND, RATE};
use crate::run::text::inline;

pub fn associations(experts: &Experts, expert: usize) -> Html {
    let of_expert = &experts.experts[expert];
    if of_expert.tokens.is_empty() && of_expert.kinds.is_empty() {
        return html! {
            <p class="fine">
                { say!("Nothing to try: a token has to stand {times} times in each half of the text, a kind of text {tokens} tokens.",
                    times = OFTEN, tokens = OFTEN_OF_KIND) }
            </p>
        };
    }
    let (tokens, kinds) = experts.tried;
    html! {
        <section class="expert-associations">
            <div class="experts-scroll" tabindex="0" role="group" aria-label={say!("What asks expert {expert}", expert)}>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{ say!("asks it") }</th>
                            <th scope="col">{ say!("first half") }</th>
                            <th scope="col" title={say!("Benjamini-Hochberg false-discovery rate over all tests of this layer")}>{ say!("rate") }</th>
                            <th scope="col">{ say!("second half") }</th>
                            <th scope="col" title={say!("The same over what the first half found")}>{ say!("rate") }</th>
                            <th scope="col">{ say!("holds") }</th>
                        </tr>
                    </thead>
                    <tbody>
                        { for of_expert.tokens.iter().map(|it| row(of_expert, it, say!("token"))) }
                        { for of_expert.kinds.iter().map(|it| row(of_expert, it, say!("kind of text"))) }
                    </tbody>
                </table>
            </div>
            <p class="fine">
                { say!("Times as often as by chance, and how many of the token's places asked it. Null: those who ask are drawn \
                    without replacement (hypergeometric, one-sided). It holds from {lift} on, at a false-discovery rate of {rate} over \
                    the layer's {tokens} tests of tokens and {kinds} of kinds, in both halves.",
                    lift = times(LIFT), rate = RATE, tokens, kinds) }
            </p>
        </section>
    }
}

fn row(expert: &Expert, association: &Association, what: Cow<'static, str>) -> Html {
    let half = |counts: &moe_router::measure::KeyCounts| {
        format!("{} ({})", times(counts.lift()), part(counts.both, counts.of_key))
    };
    let again = association.rate_again.map_or_else(|| "–".to_owned(), rate);
    html! {
        <tr class={association.holds().then_some("is-special")}>
            <th scope="row" title={what}><bdi>{ inline(&words_of(expert, association)) }</bdi></th>
            <td>{ half(&association.first) }</td>
            <td>{ rate(association.rate) }</td>
            <td>{ half(&association.second) }</td>
            <td>{ again }</td>
            <td>{ if association.holds() { say!("yes") } else { say!("no") } }</td>
        </tr>
    }
}
