//! Sentences that state what is to be seen, made from the numbers of a scene. Titles are findings, not topics.

use moe_router::metrics;
use moe_trace::{Assignment, Fate};

use crate::run::compare::{Change, PassageLoss};
use crate::run::scene::{Group, Scene, SceneLayer, TokenFate};
use crate::run::text::quoted;
use crate::words::names::fate as name_of;
use crate::words::numbers::count;

/// Title of the token strip: two marks, two counts. Where experts take tokens, nobody is turned away, but some are left.
pub fn strip_title(scene: &Scene) -> String {
    let totals = scene.totals();
    if scene.layers.iter().any(SceneLayer::experts_take) {
        let of_layer = |layer: &SceneLayer| {
            (0..scene.tokens.len()).filter(|&token| layer.fate(token) == TokenFate::NotRouted).count()
        };
        return match scene.layers.iter().map(of_layer).sum() {
            0 => "Every token was taken by at least one expert in every layer".to_owned(),
            left => format!("{} taken by no expert of a layer", count(left, "time a token was", "times a token was")),
        };
    }
    match (totals.lost, totals.dropped_tokens) {
        (0, _) => format!("Every one of {} was served", count(totals.requests, "request", "requests")),
        (1, 0) => format!("One of {} requests found its expert full; its token kept another", totals.requests),
        (1, _) => format!("One of {} requests found its expert full, and its token had no other", totals.requests),
        (lost, 0) => format!("{lost} of {} requests found their expert full; every token kept one", totals.requests),
        (lost, dropped) => {
            let tokens = count(dropped, "time a token was", "times a token was");
            format!("{lost} of {} requests found their expert full; {tokens} dropped", totals.requests)
        }
    }
}

/// Title of the layers × tokens matrix.
pub fn matrix_title(scene: &Scene) -> String {
    let worst = scene.layers.iter().map(|layer| (layer.totals().lost, layer.layer.0)).max_by_key(|&(lost, layer)| {
        // On a tie the lowest layer.
        (lost, std::cmp::Reverse(layer))
    });
    let losing = scene.layers.iter().filter(|layer| layer.totals().lost > 0).count();
    match worst {
        Some((lost, layer)) if lost > 0 && losing == 1 => {
            format!("Only layer {layer} turned anyone away: {}", count(lost, "request", "requests"))
        }
        Some((lost, layer)) if lost > 0 => {
            format!("Layer {layer} turned most away: {}", count(lost, "request", "requests"))
        }
        _ => "No layer turned anyone away".to_owned(),
    }
}

/// Title of the capacity lanes of one group: the expert with the longest queue, or the busiest one.
pub fn lanes_title(layer: &SceneLayer, group: &Group, capacity: Option<u32>) -> String {
    let lanes = (0..layer.num_experts).map(|expert| layer.lane(group, moe_trace::ExpertIdx(expert as u32)));
    // Every expert has every token of the group.
    let asks_all = lanes.clone().all(|lane| lane.demand() == group.num_tokens);
    let busiest = lanes.max_by_key(|lane| (lane.lost.len(), lane.demand(), std::cmp::Reverse(lane.expert)));
    let Some(lane) = busiest else { return "This layer has no experts".to_owned() };
    if layer.experts_take() {
        return format!("Every expert takes {}, those it scores highest", count(lane.demand(), "token", "tokens"));
    }
    let (expert, tokens) = (lane.expert, count(lane.demand(), "token", "tokens"));
    match capacity {
        Some(slots) if !lane.lost.is_empty() => {
            format!("Expert {expert} was asked by {tokens} and has {}", count(slots as usize, "slot", "slots"))
        }
        Some(slots) if group.num_tokens == 1 => {
            format!("One token at a time: {} for it at every expert", count(slots as usize, "slot", "slots"))
        }
        Some(slots) if slots as usize == group.num_tokens => {
            format!("No expert can be full: each has a slot for all {} tokens", group.num_tokens)
        }
        Some(slots) if lane.demand() == slots as usize => {
            format!("Expert {expert} is exactly full: {tokens}, {}", count(slots as usize, "slot", "slots"))
        }
        Some(slots) => {
            let slots = count(slots as usize, "slot", "slots");
            format!("Room for all: the busiest expert, {expert}, was asked by {tokens} and has {slots}")
        }
        None if layer.num_experts == 1 => format!("The only expert serves every request: {tokens}"),
        None if asks_all => {
            format!("Nobody is turned away; every expert serves {tokens}")
        }
        None => format!("Nobody is turned away; expert {expert} serves most: {tokens}"),
    }
}

/// Title of the token's panel.
pub fn token_title(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let name = quoted(scene.token_text(token));
    let of_token = layer.of_token(token);
    let experts = |wanted: fn(&Assignment) -> bool| {
        let names: Vec<String> = of_token.iter().filter(|a| wanted(a)).map(|a| a.expert.to_string()).collect();
        match names.as_slice() {
            [] => String::new(),
            all if all.len() == layer.num_experts && all.len() > 2 => format!("all {} experts", all.len()),
            [one] => format!("expert {one}"),
            [first @ .., last] => format!("experts {} and {last}", first.join(", ")),
        }
    };
    let kept = experts(|a| a.fate.is_kept());
    let lost = experts(|a| a.fate == Fate::Lost);
    match layer.fate(token) {
        TokenFate::Served if layer.experts_take() => format!("{name} was taken by {kept}"),
        TokenFate::Served => format!("{name} is served by {kept}"),
        TokenFate::LostSome => format!("{name} was turned away by {lost} and served by {kept}"),
        TokenFate::Dropped => format!("{name} was dropped: {lost} had no slot left"),
        TokenFate::NotRouted if layer.experts_take() => format!("{name} was taken by no expert"),
        TokenFate::NotRouted => format!("{name} asked no expert"),
    }
}

/// One sentence for the ears: what the selected token asked, and what became of it.
pub fn spoken_token(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let mut sentence = format!("Token {token} {}, layer {}", quoted(scene.token_text(token)), layer.layer);
    let requests = layer.of_token(token);
    if requests.is_empty() {
        sentence.push_str(if layer.experts_take() { " was taken by no expert" } else { " asked no expert" });
    }
    for (number, request) in requests.iter().enumerate() {
        let asked = if number == 0 { " asked" } else { ", then" };
        let fate = match request.fate {
            Fate::Kept { .. } => "was served".to_owned(),
            Fate::Lost => format!("was turned away because expert {} is full", request.expert),
            other => name_of(other).to_owned(),
        };
        let share = layer.reading().figure(request.weight_raw);
        if layer.experts_take() {
            let taken = if number == 0 { " was taken" } else { "," };
            sentence.push_str(&format!("{taken} by expert {}, {share}", request.expert));
            continue;
        }
        sentence.push_str(&format!("{asked} expert {}, {share}, and {fate}", request.expert));
    }
    sentence.push('.');
    sentence
}

/// Title of the load chart.
pub fn load_title(layer: &SceneLayer) -> String {
    let demand = metrics::demand(&layer.routing);
    if let [asked] = demand[..] {
        let (asked, served) = (asked as usize, metrics::load(&layer.routing)[0] as usize);
        return match asked == served {
            true => format!("One expert serves everything: {}", count(served, "token", "tokens")),
            false => format!("One expert has room for {served} of {}", count(asked, "token", "tokens")),
        };
    }
    let Some(largest) = demand.iter().copied().max().filter(|&largest| largest > 0) else {
        return "Nobody was asked".to_owned();
    };
    let expert = demand.iter().position(|&number| number == largest).unwrap_or_default();
    let idle = demand.iter().filter(|&&number| number == 0).count();
    let ratio = metrics::max_over_mean(&demand);
    match idle {
        0 if demand.iter().all(|&number| number == largest) => {
            let verb = if layer.experts_take() { "takes" } else { "is asked by" };
            format!("Every expert {verb} {}", count(largest as usize, "token", "tokens"))
        }
        0 => format!("Expert {expert} is asked {ratio:.1} times as often as the mean"),
        _ => {
            let idle = count(idle, "expert stays", "experts stay");
            format!("Expert {expert} is asked {ratio:.1} times as often as the mean; {idle} idle")
        }
    }
}

/// Title of the passage's loss. `flipped`: the run before is on the screen, and `change` leads back to it.
pub fn loss_title(loss: Option<PassageLoss>, change: Option<&Change>, flipped: bool) -> String {
    let Some(loss) = loss else { return "This text has no loss: nothing predicts its first token".to_owned() };
    let Some(change) = change else {
        return format!("The text costs {:.3} nats a token", loss.nats);
    };
    let difference = change.after.nats - change.before.nats;
    if let Some(other) = &change.other_model {
        let comparison = if difference.abs() < 0.0005 {
            "as much as".to_owned()
        } else {
            format!("{:.3} nats a token {} than", difference.abs(), if difference > 0.0 { "more" } else { "less" })
        };
        return format!("The text costs {comparison} with {other}");
    }
    if flipped {
        format!("Before the change the text cost {:.3} nats a token", change.after.nats)
    } else if difference.abs() < 0.0005 {
        format!("The change cost nothing: {:.3} nats a token, as before", change.after.nats)
    } else if difference > 0.0 {
        format!("The change costs {difference:.3} nats a token more")
    } else {
        format!("The change saves {:.3} nats a token", -difference)
    }
}
