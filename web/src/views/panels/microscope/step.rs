//! What each step of a decision shows.

use moe_router::capacity::HeldBy;
use moe_router::rule::GateReads;
use moe_trace::{Assignment, ExpertIdx};
use yew::prelude::*;

use super::experts::experts;
use super::proof;
use crate::run::capacity;
use crate::run::decision::{Decision, Formula};
use crate::run::gate_reading::GateReading;
use crate::run::text::short;
use crate::settings::micro_step::MicroStep;
use crate::views::panel::PanelInput;
use crate::views::parts::citation::citation;
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::math::math;
use crate::words::numbers::{digits, weight};
use crate::words::{names, tongue};

pub fn step(input: &PanelInput, decision: &Decision, step: MicroStep) -> Html {
    match step {
        MicroStep::Logits => logits(input, decision),
        MicroStep::Scores => scores(input, decision),
        MicroStep::Choice => choice(decision),
        MicroStep::Queue => for_each(decision, |request| queue(decision, request)),
        MicroStep::Capacity => slots(decision),
        MicroStep::Fate => for_each(decision, |request| fate(decision, request)),
        MicroStep::Weights => weights(input, decision),
        MicroStep::Output => output(decision),
        MicroStep::Proof => proof::proof(input),
    }
}

fn logits(input: &PanelInput, decision: &Decision) -> Html {
    let changes: Vec<String> = decision.changes().map(|change| change.to_string()).collect();
    let changed = (!changes.is_empty()).then(|| {
        html! { <p>{ say!("Changed in this run: {changes}. What stands here is what the rule saw.", changes = changes.join(&say!("; "))) }</p> }
    });
    let Some(values) = decision.logits else {
        return html! { <><p>{ tongue::translated(GateReading::NOT_RECORDED) }</p>{ changed }</> };
    };
    let asked = || values.iter().copied().filter(|&z| z != f32::MIN);
    let (least, most) = (asked().fold(f32::MAX, f32::min), asked().fold(f32::MIN, f32::max));
    // Halves, because the difference of two floats may be too large for one.
    let range = (most / 2.0 - least / 2.0).max(f32::MIN_POSITIVE);
    let share = |z: f32| ((z / 2.0 - least / 2.0) / range).clamp(0.0, 1.0);
    html! {
        <>
            if let Some(changed) = changed {
                { changed }
            } else {
                <p>{ say!("What the gate says of each expert, before anything is made of it. Bars run from the least to the largest.") }</p>
            }
            { experts(input, decision, say!("Gate logits of all experts"), values, share) }
        </>
    }
}

fn scores(input: &PanelInput, decision: &Decision) -> Html {
    let values = decision.layer.values_of(decision.token);
    let reading = decision.layer.reading();
    let followed = decision.followed(input.selection.expert);
    let formula = followed.and_then(|request| decision.score(request.expert.index()));
    html! {
        <>
            { formula.map(drawn) }
            if let Some(note) = decision.layer.gate_note() {
                <p>{ note }</p>
            }
            if !values.is_empty() {
                { experts(input, decision, reading.names().1, values, |value| value) }
            }
        </>
    }
}

/// In symbols, and below it with the numbers.
fn drawn(formula: Formula) -> Html {
    html! {
        <div class="micro-formula">
            <p>{ math(&formula.symbols) }</p>
            <p>{ math(&format!("= {}", formula.numbers)) }</p>
        </div>
    }
}

fn choice(decision: &Decision) -> Html {
    let rule = decision.rule();
    let reading = decision.layer.reading();
    let of_request = |request: &Assignment| match reading.0 {
        GateReads::Nothing => format!("E{}", request.expert),
        _ => format!("E{} ({})", request.expert, reading.short(request.weight_raw)),
    };
    let asked: Vec<String> = decision.requests.iter().map(of_request).collect();
    let asked = match (asked.is_empty(), decision.layer.experts_take()) {
        (true, true) => say!("No expert took this token.").into_owned(),
        (true, false) => say!("This token asks no expert.").into_owned(),
        (false, true) => say!("Taken by {experts}.", experts = asked.join(&say!(", "))),
        (false, false) => say!("In order of preference: {experts}.", experts = asked.join(&say!(", "))),
    };
    let margin = decision.margin().filter(|_| decision.takes_the_largest()).map(|(least, most)| {
        let logits = decision.logits.unwrap_or_default();
        let (least_logit, most_logit) = (digits(logits[least].into()), super::experts::logit(logits[most]));
        say!(
            "The last one in is E{least} with {least_logit}; the first one out is E{most} with {most_logit}.",
            least,
            least_logit,
            most,
            most_logit
        )
    });
    html! {
        <>
            <p>{ weave!("{rule}: {says}", rule = html! { <b>{ tongue::translated(rule.title) }</b> },
                says = tongue::translated(rule.one_line).into()) }</p>
            <p>{ asked }</p>
            <p>{ margin }</p>
            <p class="fine">{ citation(rule.paper, rule.equation) }</p>
        </>
    }
}

/// A paragraph for each request.
fn for_each(decision: &Decision, of_request: impl Fn(&Assignment) -> Html) -> Html {
    if decision.requests.is_empty() {
        return html! { <p>{ say!("This token has no request: only the residual carries it past this layer.") }</p> };
    }
    html! { <ul class="micro-requests">{ for decision.requests.iter().map(of_request) }</ul> }
}

fn queue(decision: &Decision, request: &Assignment) -> Html {
    let place = decision.place(request);
    let expert = request.expert;
    let lane = decision.layer.lane(&decision.group, expert);
    let before: Vec<String> = lane.kept.iter().take(place.taken).map(|other| named(decision, other)).collect();
    let words = if decision.layer.experts_take() {
        let tokens = many!(place.demand, "{n} token", "{n} tokens");
        say!("E{expert} took {tokens} and gave this one slot {slot}", expert, tokens, slot = place.taken)
    } else if !request.fate.is_demand() {
        say!("The request to E{expert} stood in no queue: {fate}", expert, fate = names::fate(request.fate))
    } else {
        let requests = many!(place.demand, "{n} request", "{n} requests");
        let others = many!(place.taken, "{n} other", "{n} others");
        say!("E{expert} has {requests}; before this one {others} got a slot", expert, requests, others)
    };
    // More names than a few are a list that nobody reads; the capacity lanes have them all.
    let shown = before.iter().rev().take(6).rev().cloned().collect::<Vec<String>>().join(&say!(", "));
    html! {
        <li key={request.rank}>
            { words }
            if request.fate.is_demand() && !shown.is_empty() {
                <span class="fine">{ if before.len() > 6 { say!("(… {tokens})", tokens = shown) } else { say!("({tokens})", tokens = shown) } }</span>
            }
        </li>
    }
}

fn named(decision: &Decision, request: &Assignment) -> String {
    format!("{} #{}", short(decision.scene.token_text(request.token as usize)), request.token)
}

fn slots(decision: &Decision) -> Html {
    let scene = decision.scene;
    let (group_idx, group) = (scene.tokens[decision.token].group, decision.group);
    let Some(recorded) = decision.layer.capacities.get(group_idx).copied().flatten() else {
        return html! { <p>{ weave!("{formula} Nobody is turned away: every request is served, however many there are.",
        formula = math("C = ∞")) }</p> };
    };
    let routing = scene.recording.request.routing;
    let Some(formula) = capacity::formula(routing, decision.layer.num_experts, group.num_tokens, recorded) else {
        return html! { <p>{ weave!("{formula} slots for each expert, as recorded: the rule’s own number.",
        formula = math(&format!("C = {recorded}"))) }</p> };
    };
    let (factor, k, plain) = (formula.slots.factor, formula.k, formula.result.plain);
    let (tokens, num_experts) = (group.num_tokens, decision.layer.num_experts);
    let slots = many!(recorded, "{n} slot", "{n} slots");
    let together = many!(tokens, "{n} token", "{n} tokens");
    let words = match formula.result.held_by {
        HeldBy::Nothing => {
            say!("Each expert has {slots} for the {tokens} that are routed together.", slots, tokens = together)
        }
        HeldBy::Tokens => say!(
            "Each expert has {slots} for the {tokens} that are routed together. More slots than tokens would be pointless.",
            slots,
            tokens = together
        ),
        HeldBy::Minimum => say!(
            "Each expert has {slots} for the {tokens} that are routed together. It is held up by the minimum.",
            slots,
            tokens = together
        ),
    };
    let formula = Formula {
        symbols: "C = ⌈{factor · k · T}/{E}⌉".to_owned(),
        numbers: format!("⌈{{{factor} · {k} · {tokens}}}/{{{num_experts}}}⌉ = {plain}"),
    };
    html! {
        <>
            { drawn(formula) }
            <p>{ words }</p>
        </>
    }
}

fn fate(decision: &Decision, request: &Assignment) -> Html {
    let mark = Mark::of(request, decision.layer.fate(decision.token));
    let words = match request.fate.slot() {
        Some(slot) => say!("E{expert}: served in slot {slot}", expert = request.expert, slot),
        None => {
            say!("E{expert}: {fate}; it contributes exactly nothing", expert = request.expert, fate = mark.name())
        }
    };
    html! { <li key={request.rank}>{ glyph(mark) }{ words }</li> }
}

fn weights(input: &PanelInput, decision: &Decision) -> Html {
    let rule = decision.rule();
    let formula = decision.followed(input.selection.expert).and_then(|request| decision.weighing(request));
    let plain = formula.is_none().then(|| {
        for_each(decision, |request| {
            let words = say!(
                "E{expert}: {gate}, {weight} if served",
                expert = request.expert,
                gate = decision.layer.reading().short(request.weight_raw),
                weight = weight(request.weight)
            );
            html! { <li key={request.rank}>{ words }</li> }
        })
    });
    html! {
        <>
            { formula.map(drawn) }
            { plain }
            <p class="micro-sum">{ for decision.combination().iter().map(|term| math(term)) }</p>
            <p class="fine">
                { weave!("This sum, and the shared experts where the model has some, is added to the residual. {source}",
                    source = citation(rule.paper, rule.equation)) }
            </p>
        </>
    }
}

fn output(decision: &Decision) -> Html {
    let norm = |expert: ExpertIdx, norm: Option<f32>| {
        let norm = norm.map_or_else(|| say!("not recorded").into_owned(), |norm| digits(norm.into()));
        html! { <li key={expert.0}>{ math(&format!("‖FFN_{expert}(x)‖ = {norm}")) }</li> }
    };
    let of_experts = decision.requests.iter().zip(&decision.output_norms);
    html! {
        <>
            <ul class="micro-requests">{ for of_experts.map(|(request, &of)| norm(request.expert, of)) }</ul>
            if let Some(shared) = decision.shared_norm {
                <p>{ math(&format!("‖shared(x)‖ = {}", digits(shared.into()))) }</p>
            }
        </>
    }
}
