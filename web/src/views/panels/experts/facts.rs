//! An expert in numbers: what the gate gives it beside what it gets, how clearly it is chosen, and with whom.

use std::borrow::Cow;

use yew::prelude::*;

use crate::run::experts::Experts;
use crate::words::numbers::{digits, percent};

pub fn facts(experts: &Experts, expert: usize) -> Html {
    let of_expert = &experts.experts[expert];
    let even = percent(1.0 / experts.experts.len().max(1) as f32);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |name: Cow<'static, str>, title: Cow<'static, str>, value: String| {
        html! { <li {title}><span>{ name }</span><b>{ value }</b></li> }
    };
    let partners = of_expert.partners.iter().map(|partner| {
        let [share, expected] = [partner.share, partner.expected].map(|share| percent(share as f32));
        html! { <li><span>{ say!("with E{expert}", expert = partner.expert) }</span><b>{ format!("{share} ({expected})") }</b></li> }
    });
    html! {
        <section class="expert-facts">
            <ul class="stats">
                { row(say!("asked by"), say!("Tokens that asked it, whatever became of the request"), of_expert.asked.to_string()) }
                { row(say!("served"), say!("Those of them that found a slot"), of_expert.served.to_string()) }
                { row(say!("of requests"), say!("Its part of all requests of the layer: hard load"), percent(of_expert.load as f32)) }
                { row(say!("of the gate"), say!("Its part of the gate's probability, softmax of the logits, over all tokens"),
                    or_dash(of_expert.mass.map(|mass| percent(mass as f32)))) }
                { row(say!("lead"), say!("By how much its gate logit led that of the best expert that its tokens did not ask: the median"),
                    or_dash(of_expert.lead.map(digits))) }
                { for partners }
            </ul>
            <p class="fine">
                { say!("An even share is {even}. With whom: the part of its tokens that ask that expert too, and in brackets what \
                    that would be if the rest of their requests went where all others go.", even) }
            </p>
        </section>
    }
}
