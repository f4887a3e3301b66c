//! Finding of the batch: who lost which expert's slots to whom; and of each text, what is otherwise than alone.

use crate::run::in_step::{Difference, InStep};
use crate::run::text::quoted;
use crate::words::{names, numbers};

pub fn finding(batch: &InStep, step: usize, layer: usize) -> String {
    let asked = batch.asked(step, layer);
    let lost = asked.iter().find_map(|asked| Some((asked, *asked.lost.first()?)));
    if let (Some((asked, text)), Some(capacity)) = (lost, batch.capacity(step, layer)) {
        let (text, expert, number) = (text + 1, asked.expert, asked.served.len() + asked.lost.len());
        return match asked.served.is_empty() {
            true => say!(
                "At step {step}, text {text} lost its request to expert {expert}: capacity {capacity}, {number} asked",
                step,
                text,
                expert,
                capacity,
                number,
            ),
            false => say!(
                "At step {step}, text {text} lost its request to expert {expert} to {others}: capacity {capacity}, {number} asked",
                step,
                text,
                expert,
                others = texts(&asked.served),
                capacity,
                number,
            ),
        };
    }
    let all = batch.lost();
    if all.lost == 0 {
        return many!(
            batch.num_texts(step),
            "At step {step} {n} text finds room, and no request of {requests} is ever turned away",
            "At step {step} {n} texts find room, and no request of {requests} is ever turned away",
            step,
            requests = all.requests,
        );
    }
    many!(
        batch.num_texts(step),
        "At step {step} {n} text finds room in this layer; over all steps and layers {lost} of {requests} requests are turned away",
        "At step {step} {n} texts find room in this layer; over all steps and layers {lost} of {requests} requests are turned away",
        step,
        lost = all.lost,
        requests = all.requests,
    )
}

/// "text 1", "texts 1 and 2", "texts 1, 2 and 4"; numbers count from 1.
pub fn texts(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(|number| (number + 1).to_string()).collect();
    match words.split_last() {
        Some((last, [])) => say!("text {number}", number = last),
        Some((last, others)) => say!("texts {others} and {last}", others = names::listed(others.to_vec()), last),
        None => say!("nobody").into_owned(),
    }
}

/// A text beside its run alone; `None` before that was computed.
pub fn alone(batch: &InStep, text: usize) -> Option<String> {
    let difference = batch.rows.get(text)?.alone.as_ref()?;
    let Difference { num_same, num_routes, num_fates, nats, .. } = *difference;
    let number = text + 1;
    let compared = match difference.first {
        None => many!(
            num_same,
            "Text {number} is as alone: the same experts serve the same {n} token.",
            "Text {number} is as alone: the same experts serve the same {n} tokens.",
            number,
        ),
        Some(first) => many!(
            num_same,
            "Text {number} beside its run alone: of {n} token that are the same, {fates} and {routes}, the first at step {first}; {nats} nats on these.",
            "Text {number} beside its run alone: of {n} tokens that are the same, {fates} and {routes}, the first at step {first}; {nats} nats on these.",
            number,
            fates = many!(num_fates, "{n} has another fate", "{n} have another fate"),
            routes = many!(num_routes, "{n} asks other experts", "{n} ask other experts"),
            first,
            nats = numbers::difference(nats),
        ),
    };
    let Some([here, alone]) = &difference.written else { return Some(compared) };
    let end = |text: &str| if text.is_empty() { say!("nothing").into_owned() } else { quoted(text) };
    let (here, alone) = (end(here), end(alone));
    let written = say!("From step {step} on it reads {here} instead of {alone}.", step = num_same, here, alone);
    Some(format!("{compared} {written}"))
}
