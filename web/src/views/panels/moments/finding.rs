//! Finding of the time machine: how much of today's routing the gates of a moment give already.

use super::moment_words;
use crate::views::panel::PanelInput;
use crate::words::numbers::percent;

pub fn finding(input: &PanelInput) -> String {
    let then = &input.comparisons.then;
    let Some(moments) = then.moments.as_deref() else {
        return say!("How would the gates of earlier moments of the training route this text?").into_owned();
    };
    let [here, recorded, chance] =
        [moments.mean(then.at), moments.recorded_mean(then.at), moments.by_chance()].map(|share| percent(share as f32));
    say!(
        "The gates {moment} send {here} of this text's requests where today's send them; the model of that moment sent \
         {recorded} of held-out ones there, and by chance it is {chance}",
        moment = moment_words(moments, then.at),
        here,
        recorded,
        chance
    )
}
