//! The sentences of the story. Every number in them is of the run on the screen.

use std::borrow::Cow;

use moe_router::rule::Requests;
use moe_router::rules;

use crate::run::event::Room;
use crate::run::scene::TokenFate;
use crate::views::panel::PanelInput;
use crate::views::panels::story::Seen;

pub fn what_it_is() -> Cow<'static, str> {
    say!(
        "A Mixture of Experts is a neural network whose layers hold many small networks, the experts. A gate sends each \
         token, a word or a piece of one, to the few experts that suit it best, and the others rest. "
    )
}

/// How many experts this one has, and how many serve a token.
pub fn this_model(seen: &Seen) -> String {
    let scene = &seen.input.scene;
    let facts = rules::facts(&seen.layer.rule);
    let layers = many!(scene.layers.len(), "{n} layer", "{n} layers");
    let experts = many!(seen.layer.num_experts, "{n} expert", "{n} experts");
    let sends = match facts.requests {
        _ if facts.fills_experts() => say!("every expert picks the tokens that it suits best"),
        Requests::Exactly(k) => say!("each token is sent to {k} of them", k).into(),
        Requests::Everyone => say!("each token is sent to all of them"),
        Requests::OneOrMore | Requests::AnyNumber => say!("each token is sent to as many as the gate says"),
    };
    say!(
        "This model has {layers} of {experts}, and {sends}. Here is layer {layer}: a row for each expert, and a slot for \
         each token that it has room for.",
        layers,
        experts,
        sends,
        layer = seen.layer.layer
    )
}

pub fn finding(seen: &Seen) -> String {
    let token = seen.token();
    let turned_away =
        |layer: &crate::run::scene::SceneLayer| layer.fate(seen.input.selection.token) >= TokenFate::LostSome;
    match (&seen.event, seen.layer.fate(seen.input.selection.token)) {
        (Some(event), TokenFate::Dropped) => {
            say!("{token} finds every expert full, expert {expert} first", token, expert = event.expert)
        }
        (Some(event), _) => say!("{token} finds expert {expert} full", token, expert = event.expert),
        (None, _) if turned_away(seen.input.layer()) => say!("With more slots {token} gets in", token),
        (None, TokenFate::NotRouted) => say!("{token} is sent to no expert", token),
        (None, _) => say!("{token} is sent to {experts}", token, experts = experts_of(seen)),
    }
}

/// `expert 3`, `experts 3 and 5`.
fn experts_of(seen: &Seen) -> String {
    let experts: Vec<String> =
        seen.layer.of_token(seen.input.selection.token).iter().map(|request| request.expert.to_string()).collect();
    match experts.as_slice() {
        [one] => say!("expert {one}", one),
        [before @ .., last] => say!("experts {before} and {last}", before = before.join(&say!(", ")), last),
        [] => say!("no expert").into_owned(),
    }
}

/// What happened to the selected token.
pub fn event(seen: &Seen) -> String {
    let token = seen.token();
    let Some(event) = seen.event else {
        return match (seen.capacity, seen.layer.fate(seen.input.selection.token)) {
            (_, TokenFate::NotRouted) => {
                say!("In this layer {token} passes by: no expert adds anything to it.", token)
            }
            (Some(slots), _) => many!(
                slots,
                "Every expert has {n} slot, and {token} found a free one wherever it was sent.",
                "Every expert has {n} slots, and {token} found a free one wherever it was sent.",
                token
            ),
            (None, _) => say!("Here experts have room for everybody, {token} too.", token),
        };
    };
    let slots = many!(event.slots, "{n} slot", "{n} slots");
    let asked = many!(event.demand, "{n} token was sent to it", "{n} tokens were sent to it");
    let rest = match event.served_by {
        Some(expert) => say!("Expert {expert} still serves it", expert).into(),
        None => say!("No other expert serves it: in this layer it passes unchanged"),
    };
    say!(
        "Expert {expert} has {slots}, and {asked}. {token} is turned away: this expert adds nothing to it. {rest}.",
        expert = event.expert,
        slots,
        asked,
        token,
        rest
    )
}

/// What the control does.
pub fn of_the_control(seen: &Seen, room: Room) -> String {
    let before = seen.input.controls.capacity_factor;
    say!(
        "It raises the capacity factor from {before} to {after} and runs the model again.",
        before,
        after = room.factor
    )
}

/// What the last change of settings did, where there was one: two runs side by side.
pub fn changed(input: &PanelInput) -> Option<String> {
    let change = input.change.as_ref().filter(|change| change.other_model.is_none())?;
    let changed = &input.changed;
    let lost = many!(input.scene.totals().lost, "{n} request is turned away", "{n} requests are turned away");
    let lost_then = change.lost_before;
    let [now, then] = [change.after.nats, change.before.nats].map(|nats| format!("{nats:.3}"));
    let shared = many!(change.after.num_tokens, "{n} token", "{n} tokens");
    Some(match input.flipped {
        true => say!(
            "Before the change ({changed}), {lost}, after it {lost_then}. The model's loss, its surprise at the text, is \
             {now} nats per token, after it {then}: over the {shared} that both runs share.",
            changed,
            lost,
            lost_then,
            now,
            then,
            shared
        ),
        false => say!(
            "After the change ({changed}), {lost}, before it {lost_then}. The model's loss, its surprise at the text, is \
             {now} nats per token, before it {then}: over the {shared} that both runs share.",
            changed,
            lost,
            lost_then,
            now,
            then,
            shared
        ),
    })
}
