//! The sentences of the story. Every number in them is of the run on the screen.

use moe_router::rule::Requests;
use moe_router::rules;

use crate::run::event::Room;
use crate::run::scene::TokenFate;
use crate::views::panel::PanelInput;
use crate::views::panels::story::Seen;
use crate::words::numbers::count;

pub fn what_it_is() -> &'static str {
    "A Mixture of Experts is a neural network whose layers hold many small networks, the experts. A gate sends each token, \
     a word or a piece of one, to the few experts that suit it best, and the others rest. "
}

/// How many experts this one has, and how many serve a token.
pub fn this_model(seen: &Seen) -> String {
    let scene = &seen.input.scene;
    let facts = rules::facts(&seen.layer.rule);
    let layers = count(scene.layers.len(), "layer", "layers");
    let experts = count(seen.layer.num_experts, "expert", "experts");
    let sends = match facts.requests {
        _ if facts.fills_experts() => "every expert picks the tokens that it suits best".to_owned(),
        Requests::Exactly(k) => format!("each token is sent to {k} of them"),
        Requests::Everyone => "each token is sent to all of them".to_owned(),
        Requests::OneOrMore | Requests::AnyNumber => "each token is sent to as many as the gate says".to_owned(),
    };
    format!("This model has {layers} of {experts}, and {sends}. Here is layer {}: ", seen.layer.layer)
        + "a row for each expert, and a slot for each token that it has room for."
}

pub fn finding(seen: &Seen) -> String {
    let token = seen.token();
    let turned_away =
        |layer: &crate::run::scene::SceneLayer| layer.fate(seen.input.selection.token) >= TokenFate::LostSome;
    match (&seen.event, seen.layer.fate(seen.input.selection.token)) {
        (Some(event), TokenFate::Dropped) => format!("{token} finds every expert full, expert {} first", event.expert),
        (Some(event), _) => format!("{token} finds expert {} full", event.expert),
        (None, _) if turned_away(seen.input.layer()) => format!("With more slots {token} gets in"),
        (None, TokenFate::NotRouted) => format!("{token} is sent to no expert"),
        (None, _) => format!("{token} is sent to {}", experts_of(seen)),
    }
}

/// `expert 3`, `experts 3 and 5`.
fn experts_of(seen: &Seen) -> String {
    let experts: Vec<String> =
        seen.layer.of_token(seen.input.selection.token).iter().map(|request| request.expert.to_string()).collect();
    match experts.as_slice() {
        [one] => format!("expert {one}"),
        [before @ .., last] => format!("experts {} and {last}", before.join(", ")),
        [] => "no expert".to_owned(),
    }
}

/// What happened to the selected token.
pub fn event(seen: &Seen) -> String {
    let token = seen.token();
    let Some(event) = seen.event else {
        return match (seen.capacity, seen.layer.fate(seen.input.selection.token)) {
            (_, TokenFate::NotRouted) => format!("In this layer {token} passes by: no expert adds anything to it."),
            (Some(slots), _) => format!(
                "Every expert has {}, and {token} found a free one wherever it was sent.",
                count(slots as usize, "slot", "slots")
            ),
            (None, _) => format!("Here experts have room for everybody, {token} too."),
        };
    };
    let slots = count(event.slots, "slot", "slots");
    let asked = count(event.demand, "token was", "tokens were");
    let rest = match event.served_by {
        Some(expert) => format!("Expert {expert} still serves it"),
        None => "No other expert serves it: in this layer it passes unchanged".to_owned(),
    };
    format!(
        "Expert {} has {slots}, and {asked} sent to it. {token} is turned away: this expert adds nothing to it. {rest}.",
        event.expert
    )
}

/// What the control does.
pub fn of_the_control(seen: &Seen, room: Room) -> String {
    let before = seen.input.controls.capacity_factor;
    format!("It raises the capacity factor from {before} to {} and runs the model again.", room.factor)
}

/// What the last change of settings did, where there was one: two runs side by side.
pub fn changed(input: &PanelInput) -> Option<String> {
    let change = input.change.as_ref().filter(|change| change.other_model.is_none())?;
    let (now, then) = match input.flipped {
        true => ("Before the change", "after it"),
        false => ("After the change", "before it"),
    };
    let shared = count(change.after.num_tokens, "token", "tokens");
    Some(format!(
        "{now} ({}), {} turned away, {then} {}. The model's loss, its surprise at the text, is {:.3} nats per token, {then} \
         {:.3}: over the {shared} that both runs share.",
        input.changed,
        count(input.scene.totals().lost, "request is", "requests are"),
        change.lost_before,
        change.after.nats,
        change.before.nats,
    ))
}
