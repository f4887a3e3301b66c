//! Finding of the batch: who lost which expert's slots to whom; and of each text, what is otherwise than alone.

use crate::run::in_step::{Difference, InStep};
use crate::run::text::quoted;
use crate::words::numbers::{self, count};

pub fn finding(batch: &InStep, step: usize, layer: usize) -> String {
    let asked = batch.asked(step, layer);
    let lost = asked.iter().find_map(|asked| Some((asked, *asked.lost.first()?)));
    if let (Some((asked, text)), Some(capacity)) = (lost, batch.capacity(step, layer)) {
        let number = asked.served.len() + asked.lost.len();
        let to = match asked.served.is_empty() {
            true => String::new(),
            false => format!(" to {}", texts(&asked.served)),
        };
        return format!(
            "At step {step}, text {} lost its request to expert {}{to}: capacity {capacity}, {number} asked",
            text + 1,
            asked.expert
        );
    }
    let all = batch.lost();
    let here = count(batch.num_texts(step), "text finds", "texts find");
    if all.lost == 0 {
        return format!("At step {step} {here} room, and no request of {} is ever turned away", all.requests);
    }
    format!(
        "At step {step} {here} room in this layer; over all steps and layers {} of {} requests are turned away",
        all.lost, all.requests
    )
}

/// "text 1", "texts 1 and 2", "texts 1, 2 and 4"; numbers count from 1.
pub fn texts(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(|number| (number + 1).to_string()).collect();
    match words.split_last() {
        Some((last, [])) => format!("text {last}"),
        Some((last, others)) => format!("texts {} and {last}", others.join(", ")),
        None => "nobody".to_owned(),
    }
}

/// A text beside its run alone; `None` before that was computed.
pub fn alone(batch: &InStep, text: usize) -> Option<String> {
    let difference = batch.rows.get(text)?.alone.as_ref()?;
    let Difference { num_same, num_routes, num_fates, nats, .. } = *difference;
    let number = text + 1;
    let tokens = count(num_same, "token", "tokens");
    let Some(first) = difference.first else {
        return Some(format!(
            "Text {number} is as alone: the same experts serve the same {tokens}{}.",
            written(difference)
        ));
    };
    Some(format!(
        "Text {number} beside its run alone: of {tokens} that are the same, {} and {}, the first at step {first}; {} nats on these{}.",
        count(num_fates, "has another fate", "have another fate"),
        count(num_routes, "asks other experts", "ask other experts"),
        numbers::difference(nats),
        written(difference)
    ))
}

fn written(difference: &Difference) -> String {
    let end = |text: &str| if text.is_empty() { "nothing".to_owned() } else { quoted(text) };
    match &difference.written {
        Some([here, alone]) => {
            format!(". From step {} on it reads {} instead of {}", difference.num_same, end(here), end(alone))
        }
        None => String::new(),
    }
}
