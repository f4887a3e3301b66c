//! How the gates of earlier moments of a training would route a text. The states are those of the trained model; the gate,
//! and the norm before it, are those of the moment.

use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;
use crate::ids::RunId;

/// In [`GateHistory::choices`]: nobody was asked.
pub const NOBODY: u8 = u8::MAX;

/// A text routed by the gates of every moment, nobody turned away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct GateHistory {
    /// What it was asked by.
    pub run: RunId,
    /// The moments: training steps done, ascending. The last is the trained model.
    pub steps: Vec<u32>,
    /// The text, as the model reads it.
    pub ids: Vec<u32>,
    pub num_layers: u32,
    /// Experts that a token asks.
    pub k: u32,
    /// `[moments, layers, tokens, k]`: experts by rank, [`NOBODY`] where a token made fewer requests.
    pub choices: Bytes,
    /// What the models of these moments themselves did, recorded while they were trained.
    pub recorded: RecordedHistory,
}

/// Held-out tokens as the model of each moment routed them, states and gates of that moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RecordedHistory {
    pub num_tokens: u32,
    /// `[moments, layers]`: the mean part of a token's experts that are among those of the last moment.
    pub saturation: Vec<f32>,
}

impl GateHistory {
    /// Experts that the tokens of a text ask in a layer, `[tokens, k]`; nothing outside.
    pub fn of(&self, moment: usize, layer: usize) -> &[u8] {
        let len = self.ids.len() * self.k as usize;
        let first = (moment * self.num_layers as usize + layer) * len;
        self.choices.get(first..first + len).unwrap_or_default()
    }

    /// Has every list the length that the others say?
    pub fn fits(&self) -> bool {
        let (moments, layers) = (self.steps.len(), self.num_layers as usize);
        let lengths = [moments, layers, self.ids.len(), self.k as usize];
        let num_choices = lengths.iter().try_fold(1_usize, |all, length| all.checked_mul(*length));
        num_choices.is_some_and(|number| number > 0 && number == self.choices.len())
            && self.recorded.saturation.len() == moments * layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_found_by_moment_and_layer() {
        let history = GateHistory {
            run: RunId(3),
            steps: vec![0, 10],
            ids: vec![5, 6],
            num_layers: 2,
            k: 1,
            choices: vec![0, 1, 2, 3, 4, 5, 6, NOBODY].into(),
            recorded: RecordedHistory { num_tokens: 9, saturation: vec![0.25; 4] },
        };
        assert!(history.fits());
        assert_eq!([history.of(0, 1), history.of(1, 1), history.of(2, 0)], [&[2, 3][..], &[6, NOBODY], &[]]);
        let spoilt = |change: fn(&mut GateHistory)| {
            let mut history = history.clone();
            change(&mut history);
            history.fits()
        };
        assert!(!spoilt(|it| it.k = 2));
        assert!(!spoilt(|it| it.num_layers = u32::MAX));
        assert!(!spoilt(|it| it.recorded.saturation.clear()));
        assert!(!spoilt(|it| (it.ids, it.choices) = (Vec::new(), Vec::new().into())));
    }
}
